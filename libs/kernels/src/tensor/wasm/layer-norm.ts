/** Layer normalization for the wasm backend: loops over the heap, a row at a time. */
import type { Tensor } from "@tensorflow/tfjs-core";

import type { LayerNormGradientTensors, LayerNormTensors } from "../reference/index.js";
import type { KernelCall } from "../registered-kernel.js";
import { normalizedRowGradient, normalizeRow } from "./row-normalization.js";
import { allocate, floats } from "./wasm-heap.js";
import type { WasmBackend } from "./wasm-heap.js";

export function layerNorm({
  inputs,
  attrs,
  backend,
}: KernelCall<LayerNormTensors, { epsilon: number }, WasmBackend>): Tensor[] {
  const [numRows, numColumns] = inputs.rows.shape;
  const results = [
    allocate(backend, [numRows, numColumns]),
    allocate(backend, [numRows, numColumns]),
    allocate(backend, [numRows]),
  ] as const;
  const [outputs, normalized, inverseDeviations] = results.map((result) => floats(backend, result));
  const rows = floats(backend, inputs.rows);
  const gain = inputs.gain && floats(backend, inputs.gain);
  const bias = inputs.bias && floats(backend, inputs.bias);
  for (let n = 0; n < numRows; n++) {
    const first = n * numColumns;
    inverseDeviations![n] = normalizeRow(rows, normalized!, first, numColumns, attrs.epsilon);
    for (let j = 0; j < numColumns; j++) {
      const scaled = normalized![first + j]! * (gain === undefined ? 1 : gain[j]!);
      outputs![first + j] = scaled + (bias === undefined ? 0 : bias[j]!);
    }
  }
  return [...results];
}

export function layerNormGradient({
  inputs,
  backend,
}: KernelCall<LayerNormGradientTensors, unknown, WasmBackend>): Tensor[] {
  const [numRows, numColumns] = inputs.gradient.shape;
  const rowGradient = allocate(backend, [numRows, numColumns]);
  const gradient = floats(backend, inputs.gradient);
  const normalized = floats(backend, inputs.normalized);
  const inverseDeviations = floats(backend, inputs.inverseDeviations);
  const gain = inputs.gain && floats(backend, inputs.gain);
  const written = floats(backend, rowGradient);
  for (let n = 0; n < numRows; n++) {
    const [first, inverseDeviation] = [n * numColumns, inverseDeviations[n]!];
    normalizedRowGradient(gradient, gain, normalized, inverseDeviation, written, first, numColumns);
  }
  return [rowGradient];
}
