/**
 * The parameters that training starts from.
 *
 * @example
 * const parameters = initialParameters(spec, 7);
 */
export { initialParameters } from "./initial-parameters.js";
