/** GRU sequence kernels for the wasm backend, backward; see the LSTM's for what is done where. */
import { clone, matMul, slice, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

import type { GruAttributes, GruBackwardTensors } from "../../reference/index.js";
import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall } from "../../registered-kernel.js";
import { allocate, floats } from "../wasm-heap.js";
import type { WasmBackend } from "../wasm-heap.js";
import { addInto, addThree, stepFloats, stepFloatsIf, unmixInPlace } from "./step-arrays.js";

type GruBackwardCall = KernelCall<GruBackwardTensors, GruAttributes, WasmBackend>;

export function gruSequenceBackward(call: GruBackwardCall): Tensor[] {
  return tidy(() => (call.attrs.resetAfter ? resetAfterBackward(call) : resetBeforeBackward(call)));
}

function resetAfterBackward({ inputs, attrs, backend }: GruBackwardCall): Tensor[] {
  const { recurrentKernelTransposed } = inputs;
  const [numSteps, numRows, hiddenSize] = inputs.hiddenGradient.shape;
  const size = numRows * hiddenSize;
  const gateGradients = allocate(backend, [numSteps, numRows, 3 * hiddenSize]);
  const recurrentGradients = allocate(backend, [numSteps, numRows, 3 * hiddenSize]);
  const recurrent_B3H = allocate(backend, [numRows, 3 * hiddenSize]) as Tensor2D;
  floats(backend, recurrent_B3H).fill(0);
  // The gradient of h_t, and what step t + 1 passes back to it beside its product.
  const [dh, direct] = [new Float32Array(size), new Float32Array(size)];
  for (let t = numSteps - 1; t >= 0; t--) {
    tidy(() => {
      const product_BH = matMul(recurrent_B3H, recurrentKernelTransposed);
      const gates = stepFloats(backend, inputs.gates, t, 3 * size);
      const gradients = stepFloats(backend, gateGradients, t, 3 * size);
      outputGradients(backend, inputs, t, floats(backend, product_BH), dh, direct);
      gateGradientStep(
        dh,
        gates,
        stepFloats(backend, inputs.hidden, t, size),
        gradients,
        direct,
        hiddenSize,
      );
      const candidates = stepFloats(backend, inputs.candidates, t, size);
      const recurrent = floats(backend, recurrent_B3H);
      for (let first = 0; first < size; first += hiddenSize) {
        for (let j = first; j < first + hiddenSize; j++) {
          const r = 2 * first + j;
          const [z, n] = [r + hiddenSize, r + 2 * hiddenSize];
          const reset = gates[r]!;
          const dr = gradients[n]! * candidates[j]! * reset * (1 - reset);
          gradients[r] = dr;
          recurrent[r] = dr;
          recurrent[z] = gradients[z]!;
          recurrent[n] = gradients[n]! * reset;
        }
      }
      stepFloats(backend, recurrentGradients, t, 3 * size).set(recurrent);
    });
    reportTimeSteps(attrs, numSteps - t, numSteps);
  }
  const initialHiddenGradient = matMul(recurrent_B3H, recurrentKernelTransposed);
  addInto(floats(backend, initialHiddenGradient), direct);
  return [gateGradients, recurrentGradients, initialHiddenGradient];
}

function resetBeforeBackward({ inputs, attrs, backend }: GruBackwardCall): Tensor[] {
  const { recurrentKernelTransposed } = inputs;
  const [numSteps, numRows, hiddenSize] = inputs.hiddenGradient.shape;
  const size = numRows * hiddenSize;
  const ofGates = slice(recurrentKernelTransposed, [0, 0], [2 * hiddenSize, hiddenSize]);
  const ofCandidate = slice(
    recurrentKernelTransposed,
    [2 * hiddenSize, 0],
    [hiddenSize, hiddenSize],
  );
  const gateGradients = allocate(backend, [numSteps, numRows, 3 * hiddenSize]);
  const rz_B2H = allocate(backend, [numRows, 2 * hiddenSize]) as Tensor2D;
  const dn_BH = allocate(backend, [numRows, hiddenSize]) as Tensor2D;
  floats(backend, rz_B2H).fill(0);
  const [dh, direct] = [new Float32Array(size), new Float32Array(size)];
  for (let t = numSteps - 1; t >= 0; t--) {
    tidy(() => {
      const product_BH = matMul(rz_B2H, ofGates);
      const gatesOfStep = stepFloats(backend, inputs.gates, t, 3 * size);
      const before = stepFloats(backend, inputs.hidden, t, size);
      outputGradients(backend, inputs, t, floats(backend, product_BH), dh, direct);
      gateGradientStep(
        dh,
        gatesOfStep,
        before,
        stepFloats(backend, gateGradients, t, 3 * size),
        direct,
        hiddenSize,
      );
      copyColumns(
        stepFloats(backend, gateGradients, t, 3 * size),
        2,
        floats(backend, dn_BH),
        hiddenSize,
      );
      const dReset_BH = floats(backend, matMul(dn_BH, ofCandidate));
      const gates = stepFloats(backend, inputs.gates, t, 3 * size);
      const hidden = stepFloats(backend, inputs.hidden, t, size);
      const gradients = stepFloats(backend, gateGradients, t, 3 * size);
      const rz = floats(backend, rz_B2H);
      for (let first = 0; first < size; first += hiddenSize) {
        for (let j = first; j < first + hiddenSize; j++) {
          const r = 2 * first + j;
          const reset = gates[r]!;
          gradients[r] = dReset_BH[j]! * hidden[j]! * reset * (1 - reset);
          rz[first + j] = gradients[r]!;
          rz[first + hiddenSize + j] = gradients[r + hiddenSize]!;
          direct[j] = direct[j]! + dReset_BH[j]! * reset;
        }
      }
    });
    reportTimeSteps(attrs, numSteps - t, numSteps);
  }
  const initialHiddenGradient = matMul(rz_B2H, ofGates);
  addInto(floats(backend, initialHiddenGradient), direct);
  return [gateGradients, clone(gateGradients), initialHiddenGradient];
}

/**
 * The gradient of the new state before zoneout, written to `dh`; what zoneout passes back to the
 * state before takes the place of `direct`.
 */
function outputGradients(
  backend: WasmBackend,
  { hiddenGradient, keep }: GruBackwardTensors,
  t: number,
  product: Float32Array,
  dh: Float32Array,
  direct: Float32Array,
): void {
  addThree(dh, stepFloats(backend, hiddenGradient, t, dh.length), product, direct);
  unmixInPlace(stepFloatsIf(backend, keep, t, dh.length), dh, direct);
}

/** The gradients' columns z and n are written; z∘dh is added to `direct`. */
function gateGradientStep(
  dh: Float32Array,
  gates: Float32Array,
  before: Float32Array,
  gradients: Float32Array,
  direct: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < dh.length; first += hiddenSize) {
    for (let j = first; j < first + hiddenSize; j++) {
      const z = 2 * first + hiddenSize + j;
      const n = z + hiddenSize;
      const [update, candidate] = [gates[z]!, gates[n]!];
      gradients[z] = dh[j]! * (before[j]! - candidate) * update * (1 - update);
      gradients[n] = dh[j]! * (1 - update) * (1 - candidate * candidate);
      direct[j] = direct[j]! + dh[j]! * update;
    }
  }
}

/** Columns [block·H, (block + 1)·H) of [B,3H], to [B,H]. */
function copyColumns(
  from: Float32Array,
  block: number,
  to: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < to.length; first += hiddenSize) {
    const start = 3 * first + block * hiddenSize;
    for (let j = 0; j < hiddenSize; j++) to[first + j] = from[start + j]!;
  }
}
