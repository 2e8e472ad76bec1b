/**
 * The parameters that training starts from.
 *
 * @example
 * const parameters = initialParameters(spec, 7, [
 *   { match: 'layers.*.kernel', part: 'recurrent', kind: 'orthogonal', gain: 1 },
 * ]);
 */
export { checkInitialization, initialParameters } from "./initial-parameters.js";
export { initializationSchema } from "./initialization-spec.js";
export type { InitializationSpec, InitializerSpec } from "./initialization-spec.js";
export {
  calculateGain,
  chrono,
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  normal,
  orthogonal,
  truncatedNormal,
  uniform,
  zeros,
} from "./initializers/index.js";
export type { Gate, Nonlinearity, Shape } from "./initializers/index.js";
