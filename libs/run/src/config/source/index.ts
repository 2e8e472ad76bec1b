/**
 * Where a config comes from: a YAML file, and single keys of the command line.
 *
 * @example
 * const { raw, locate } = await readConfigDocument({ file: "lstm.yaml", overrides: ["seed=2"] });
 * locate(["seed"]); // "--set seed"
 */
export { readConfigDocument } from "./config-document.js";
export type { ConfigDocument, LoadConfigOptions } from "./config-document.js";
export { parseOverride } from "./overrides.js";
export type { Override } from "./overrides.js";
