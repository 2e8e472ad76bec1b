/** GRU sequence kernels for the wasm backend, forward; see the LSTM's for what is done where. */
import { matMul, sigmoid, slice, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

import type { GruAttributes, GruForwardTensors } from "../../reference/index.js";
import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall } from "../../registered-kernel.js";
import { allocate, floats } from "../wasm-heap.js";
import type { WasmBackend } from "../wasm-heap.js";
import { mixInPlace, stepFloats, stepFloatsIf } from "./step-arrays.js";

export function gruSequenceForward({
  inputs,
  attrs,
  backend,
}: KernelCall<GruForwardTensors, GruAttributes, WasmBackend>): Tensor[] {
  return tidy(() => {
    const { inputGates, recurrentKernel, candidateBias, initialHidden, keep } = inputs;
    const [numSteps, numRows] = inputGates.shape;
    const hiddenSize = recurrentKernel.shape[0];
    const size = numRows * hiddenSize;
    const kernels = attrs.resetAfter ? undefined : splitKernel(recurrentKernel, hiddenSize);
    const hidden = allocate(backend, [numSteps + 1, numRows, hiddenSize]);
    const gates = allocate(backend, [numSteps, numRows, 3 * hiddenSize]);
    const candidates = allocate(backend, [numSteps, numRows, hiddenSize]);
    const h_BH = allocate(backend, [numRows, hiddenSize]) as Tensor2D;
    const rz_B2H = allocate(backend, [numRows, 2 * hiddenSize]);
    const twiceN_BH = allocate(backend, [numRows, hiddenSize]);
    const reset_BH = allocate(backend, [numRows, hiddenSize]) as Tensor2D;
    floats(backend, hidden).set(floats(backend, initialHidden));
    floats(backend, h_BH).set(floats(backend, initialHidden));
    for (let t = 0; t < numSteps; t++) {
      tidy(() => {
        const x = (): Float32Array => stepFloats(backend, inputGates, t, 3 * size);
        const gatesOfStep = (): Float32Array => stepFloats(backend, gates, t, 3 * size);
        const candidatesOfStep = (): Float32Array => stepFloats(backend, candidates, t, size);
        const product = matMul(h_BH, kernels ? kernels.ofGates : recurrentKernel);
        addGates(x(), floats(backend, product), floats(backend, rz_B2H), hiddenSize);
        const sigmoids_B2H = sigmoid(rz_B2H);
        storeGates(floats(backend, sigmoids_B2H), gatesOfStep(), hiddenSize);
        if (kernels) {
          const reset = floats(backend, reset_BH);
          resetHidden(gatesOfStep(), floats(backend, h_BH), reset, hiddenSize);
          candidatesOfStep().set(reset);
          const ofReset_BH = floats(backend, matMul(reset_BH, kernels.ofCandidate));
          addReset(x(), ofReset_BH, floats(backend, twiceN_BH), hiddenSize);
        } else {
          resetProduct(
            x(),
            floats(backend, product),
            candidateBias && floats(backend, candidateBias),
            gatesOfStep(),
            candidatesOfStep(),
            floats(backend, twiceN_BH),
            hiddenSize,
          );
        }
        const sigmoids_BH = sigmoid(twiceN_BH);
        const after = stepFloats(backend, hidden, t + 1, size);
        updateHidden(
          floats(backend, sigmoids_BH),
          gatesOfStep(),
          floats(backend, h_BH),
          after,
          hiddenSize,
        );
        mixInPlace(stepFloatsIf(backend, keep, t, size), floats(backend, h_BH), after);
        floats(backend, h_BH).set(after);
      });
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    return [hidden, gates, candidates];
  });
}

/** [H,3H] → [H,2H] of the gates r and z, [H,H] of the candidate n. */
function splitKernel(
  kernel: Tensor2D,
  hiddenSize: number,
): { readonly ofGates: Tensor2D; readonly ofCandidate: Tensor2D } {
  return {
    ofGates: slice(kernel, [0, 0], [hiddenSize, 2 * hiddenSize]),
    ofCandidate: slice(kernel, [0, 2 * hiddenSize], [hiddenSize, hiddenSize]),
  };
}

/** @param product [B,3H] or [B,2H]; the sums for r and z, [B,2H], are written to `rz`. */
function addGates(
  x: Float32Array,
  product: Float32Array,
  rz: Float32Array,
  hiddenSize: number,
): void {
  const width = (2 * hiddenSize * product.length) / rz.length;
  for (let to = 0, fromX = 0, from = 0; to < rz.length; to += 2 * hiddenSize) {
    for (let j = 0; j < 2 * hiddenSize; j++) rz[to + j] = x[fromX + j]! + product[from + j]!;
    fromX += 3 * hiddenSize;
    from += width;
  }
}

/** σ of r and z [B,2H] → the gates' columns r and z. */
function storeGates(sigmoids: Float32Array, gates: Float32Array, hiddenSize: number): void {
  const width = 2 * hiddenSize;
  for (let from = 0, to = 0; from < sigmoids.length; from += width, to += 3 * hiddenSize) {
    for (let j = 0; j < width; j++) gates[to + j] = sigmoids[from + j]!;
  }
}

/** r∘h, written to `reset` [B,H]. */
function resetHidden(
  gates: Float32Array,
  hidden: Float32Array,
  reset: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < reset.length; first += hiddenSize) {
    for (let j = first; j < first + hiddenSize; j++) {
      reset[j] = gates[2 * first + j]! * hidden[j]!;
    }
  }
}

/** 2·(x_n + product), written to `twiceN` [B,H]. */
function addReset(
  x: Float32Array,
  product: Float32Array,
  twiceN: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < twiceN.length; first += hiddenSize) {
    const n = 2 * first + 2 * hiddenSize;
    for (let j = first; j < first + hiddenSize; j++) twiceN[j] = 2 * (x[n + j]! + product[j]!);
  }
}

/** product_n + bias and 2·(x_n + r∘it), written to `candidates` and `twiceN`, both [B,H]. */
function resetProduct(
  x: Float32Array,
  product: Float32Array,
  bias: Float32Array | undefined,
  gates: Float32Array,
  candidates: Float32Array,
  twiceN: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < twiceN.length; first += hiddenSize) {
    const n = 3 * first + 2 * hiddenSize;
    for (let j = 0; j < hiddenSize; j++) {
      const sum = product[n + j]! + (bias === undefined ? 0 : bias[j]!);
      const candidate = Math.fround(sum);
      candidates[first + j] = candidate;
      twiceN[first + j] = 2 * (x[n + j]! + gates[3 * first + j]! * candidate);
    }
  }
}

/** @param sigmoids [B,H]: σ(2a_n). The gates' columns n and `after` [B,H] are written. */
function updateHidden(
  sigmoids: Float32Array,
  gates: Float32Array,
  before: Float32Array,
  after: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < after.length; first += hiddenSize) {
    const z = 2 * first + hiddenSize;
    for (let j = first; j < first + hiddenSize; j++) {
      const n = Math.fround(2 * sigmoids[j]! - 1);
      gates[z + hiddenSize + j] = n;
      const update = gates[z + j]!;
      after[j] = (1 - update) * n + update * before[j]!;
    }
  }
}
