/** Parts of time-major tensors on the heap, and zoneout. */
import type { Tensor } from "@tensorflow/tfjs-core";

import { floats } from "../wasm-heap.js";
import type { WasmBackend } from "../wasm-heap.js";

/** The values of [T,…] at step t, `size` of them; taken anew after each tfjs op, as `floats`. */
export function stepFloats(
  backend: WasmBackend,
  sequence: Tensor,
  t: number,
  size: number,
): Float32Array {
  return floats(backend, sequence).subarray(t * size, (t + 1) * size);
}

/** {@link stepFloats} of an optional tensor. */
export function stepFloatsIf(
  backend: WasmBackend,
  sequence: Tensor | undefined,
  t: number,
  size: number,
): Float32Array | undefined {
  return sequence && stepFloats(backend, sequence, t, size);
}

/** k∘before + (1 − k)∘after, in the place of `after`; nothing without `keep`. */
export function mixInPlace(
  keep: Float32Array | undefined,
  before: Float32Array,
  after: Float32Array,
): void {
  if (keep === undefined) return;
  for (let k = 0; k < after.length; k++) {
    after[k] = keep[k]! * before[k]! + (1 - keep[k]!) * after[k]!;
  }
}

/**
 * A mixed state's gradient, in place: its share of the new state; that of the state before is
 * written to `ofBefore`, or zeros without `keep`.
 */
export function unmixInPlace(
  keep: Float32Array | undefined,
  gradient: Float32Array,
  ofBefore: Float32Array,
): void {
  if (keep === undefined) {
    ofBefore.fill(0);
    return;
  }
  for (let k = 0; k < gradient.length; k++) {
    ofBefore[k] = keep[k]! * gradient[k]!;
    gradient[k] = (1 - keep[k]!) * gradient[k]!;
  }
}

/** sums = first + second + third; the sums may stand in the place of a term. */
export function addThree(
  sums: Float32Array,
  first: Float32Array,
  second: Float32Array,
  third: Float32Array,
): void {
  for (let k = 0; k < sums.length; k++) sums[k] = first[k]! + second[k]! + third[k]!;
}

export function addInto(sums: Float32Array, terms: Float32Array): void {
  for (let k = 0; k < sums.length; k++) sums[k] = sums[k]! + terms[k]!;
}
