/**
 * JSON lines that carry their own hash.
 *
 * @example
 * ```ts
 * const { line, hash } = sealJson({ step: 1 }); // {"step":1,"hash":"…"}
 * openSealedJson(Buffer.from(line)); // { hash, value: { step: 1 } }
 * ```
 *
 * @module
 */
export { openSealedJson, sealJson } from "./sealed-json.js";
export type { OpenedLine, SealFlaw } from "./sealed-json.js";
