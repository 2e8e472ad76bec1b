/**
 * What a benchmark run is asked for.
 *
 * @example
 * const { rows } = readOptions(["--rows", "kernel,step", "--quick"], modules);
 */
export { readOptions } from "./options.js";
export type { BenchOptions, OptionModules } from "./options.js";
