/**
 * Elementary functions with the same bits on every engine, of operations that IEEE 754 defines to the
 * last bit. For numbers that must not depend on the machine: initial parameters, random deviates,
 * learning rates.
 *
 * @example
 * log(2); // 0.6931471805599453
 * pow(0.97, 12.5); // 0.6833554750306546
 */
export { exp } from "./exp.js";
export { log } from "./log.js";
export { pow } from "./pow.js";
