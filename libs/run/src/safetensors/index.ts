/**
 * The safetensors format, for parameters, optimizer slots, carried states and running statistics.
 *
 * @example
 * ```ts
 * const bytes = encodeSafetensors([{ name: "bias", shape: [2], values: Float32Array.of(1, 2) }]);
 * readFloats(decodeSafetensors(bytes), "bias", [2]); // Float32Array [1, 2]
 * ```
 *
 * @module
 */
export {
  decodeSafetensors,
  encodeSafetensors,
  littleEndianBytes,
  readDoubles,
  readFloats,
} from "./safetensors.js";
export type { FloatTensor, SafetensorsFile, StoredTensor, TensorType } from "./safetensors.js";
