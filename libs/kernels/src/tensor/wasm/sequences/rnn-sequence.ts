/** RNN sequence kernels for the wasm backend; see the LSTM's for what is done where. */
import { matMul, sigmoid, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

import type {
  RnnAttributes,
  RnnBackwardTensors,
  RnnForwardTensors,
} from "../../reference/index.js";
import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall } from "../../registered-kernel.js";
import { allocate, floats } from "../wasm-heap.js";
import type { WasmBackend } from "../wasm-heap.js";
import { addInto, addThree, mixInPlace, stepFloats, stepFloatsIf } from "./step-arrays.js";
import { unmixInPlace } from "./step-arrays.js";

export function rnnSequenceForward({
  inputs,
  attrs,
  backend,
}: KernelCall<RnnForwardTensors, RnnAttributes, WasmBackend>): Tensor[] {
  return tidy(() => {
    const { inputGates, recurrentKernel, initialHidden, keep } = inputs;
    const [numSteps, numRows, hiddenSize] = inputGates.shape;
    const size = numRows * hiddenSize;
    const hidden = allocate(backend, [numSteps + 1, numRows, hiddenSize]);
    const activations = allocate(backend, [numSteps, numRows, hiddenSize]);
    const h_BH = allocate(backend, [numRows, hiddenSize]) as Tensor2D;
    floats(backend, hidden).set(floats(backend, initialHidden));
    floats(backend, h_BH).set(floats(backend, initialHidden));
    for (let t = 0; t < numSteps; t++) {
      tidy(() => {
        const product_BH = matMul(h_BH, recurrentKernel);
        const a_BH = floats(backend, product_BH);
        addInto(a_BH, stepFloats(backend, inputGates, t, size));
        if (attrs.activation === "tanh") {
          for (let k = 0; k < size; k++) a_BH[k] = 2 * a_BH[k]!;
          const sigmoids_BH = floats(backend, sigmoid(product_BH));
          const new_BH = stepFloats(backend, activations, t, size);
          for (let k = 0; k < size; k++) new_BH[k] = 2 * sigmoids_BH[k]! - 1;
        } else {
          const new_BH = stepFloats(backend, activations, t, size);
          for (let k = 0; k < size; k++) new_BH[k] = Math.max(0, a_BH[k]!);
        }
        const after_BH = stepFloats(backend, hidden, t + 1, size);
        after_BH.set(stepFloats(backend, activations, t, size));
        mixInPlace(
          stepFloatsIf(backend, keep, t, size),
          stepFloats(backend, hidden, t, size),
          after_BH,
        );
        floats(backend, h_BH).set(after_BH);
      });
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    return [hidden, activations];
  });
}

export function rnnSequenceBackward({
  inputs,
  attrs,
  backend,
}: KernelCall<RnnBackwardTensors, RnnAttributes, WasmBackend>): Tensor[] {
  return tidy(() => {
    const { hiddenGradient, activations, recurrentKernelTransposed, keep } = inputs;
    const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
    const size = numRows * hiddenSize;
    const gateGradients = allocate(backend, [numSteps, numRows, hiddenSize]);
    const da_BH = allocate(backend, [numRows, hiddenSize]) as Tensor2D;
    floats(backend, da_BH).fill(0);
    // What step t + 1 passes back to h_t beside its product.
    const kept = new Float32Array(size);
    for (let t = numSteps - 1; t >= 0; t--) {
      tidy(() => {
        const product_BH = floats(backend, matMul(da_BH, recurrentKernelTransposed));
        const da = floats(backend, da_BH);
        addThree(da, stepFloats(backend, hiddenGradient, t, size), product_BH, kept);
        unmixInPlace(stepFloatsIf(backend, keep, t, size), da, kept);
        const new_BH = stepFloats(backend, activations, t, size);
        if (attrs.activation === "tanh") {
          for (let k = 0; k < size; k++) da[k] = da[k]! * (1 - new_BH[k]! * new_BH[k]!);
        } else {
          for (let k = 0; k < size; k++) da[k] = da[k]! * Number(new_BH[k]! > 0);
        }
        stepFloats(backend, gateGradients, t, size).set(da);
      });
      reportTimeSteps(attrs, numSteps - t, numSteps);
    }
    const initialHiddenGradient = matMul(da_BH, recurrentKernelTransposed);
    addInto(floats(backend, initialHiddenGradient), kept);
    return [gateGradients, initialHiddenGradient];
  });
}
