/**
 * How the specs of this package are written down: every key has a schema and, in words, the values it
 * takes. A run config is made of the same keys, so that a range and a default are written once.
 *
 * @example
 * const schema = z.strictObject({
 *   hiddenSize: key(wholeNumbers(1, 65_536), wholeNumber(1, 65_536).default(128)),
 * }).readonly();
 * const { hiddenSize } = compileKeys(schema, raw, { code: "invalidSpec", group: "model" });
 */
export { compileKeys } from "./compile-keys.js";
export type { CompileKeysOptions } from "./compile-keys.js";
export {
  allowedBy,
  finite,
  FINITE,
  FLAG,
  fraction,
  FRACTION,
  key,
  MAX_UINT32,
  names,
  NOT_NEGATIVE,
  notNegative,
  positive,
  POSITIVE,
  wholeNumber,
  wholeNumbers,
  withDefaultKind,
} from "./keys.js";
