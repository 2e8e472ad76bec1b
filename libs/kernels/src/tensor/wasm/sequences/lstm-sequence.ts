/**
 * LSTM sequence kernels for the wasm backend.
 *
 * Products and sigmoid are XNNPACK's (tfjs ops); what lies between them is one loop over the wasm
 * heap instead of a dozen small ops, each of which costs more than its arithmetic. tanh(x) is
 * 2σ(2x) − 1, off by at most 1.2e-7: the backend's own tanh is scalar and ten times slower than
 * XNNPACK's sigmoid.
 */
import { matMul, sigmoid, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall, TimeStepAttributes } from "../../registered-kernel.js";
import { allocate, floats } from "../wasm-heap.js";
import type { WasmBackend } from "../wasm-heap.js";

export function lstmSequenceForward({
  inputs,
  attrs,
  backend,
}: KernelCall<
  {
    inputGates: Tensor3D;
    recurrentKernel: Tensor2D;
    initialHidden: Tensor2D;
    initialCell: Tensor2D;
  },
  TimeStepAttributes,
  WasmBackend
>): Tensor[] {
  return tidy(() => {
    const { inputGates, recurrentKernel } = inputs;
    const [numSteps, numRows] = inputGates.shape;
    const hiddenSize = recurrentKernel.shape[0];
    const size = numRows * hiddenSize;
    const hidden = allocate(backend, [numSteps + 1, numRows, hiddenSize]);
    const cell = allocate(backend, [numSteps + 1, numRows, hiddenSize]);
    const gates = allocate(backend, [numSteps, numRows, 4 * hiddenSize]);
    const cellActivations = allocate(backend, [numSteps, numRows, hiddenSize]);
    const h_BH = allocate(backend, [numRows, hiddenSize]) as Tensor2D;
    const twiceCell_BH = allocate(backend, [numRows, hiddenSize]);
    floats(backend, hidden).set(floats(backend, inputs.initialHidden));
    floats(backend, cell).set(floats(backend, inputs.initialCell));
    floats(backend, h_BH).set(floats(backend, inputs.initialHidden));
    for (let t = 0; t < numSteps; t++) {
      tidy(() => {
        const z_B4H = matMul(h_BH, recurrentKernel);
        addInputGates(
          floats(backend, z_B4H),
          floats(backend, inputGates).subarray(4 * t * size, 4 * (t + 1) * size),
          hiddenSize,
        );
        const sigmoids_B4H = sigmoid(z_B4H);
        updateCell(
          floats(backend, sigmoids_B4H),
          floats(backend, gates).subarray(4 * t * size, 4 * (t + 1) * size),
          floats(backend, cell).subarray(t * size, (t + 2) * size),
          floats(backend, twiceCell_BH),
          hiddenSize,
        );
        const cellSigmoid_BH = sigmoid(twiceCell_BH);
        updateHidden(
          floats(backend, cellSigmoid_BH),
          floats(backend, gates).subarray(4 * t * size, 4 * (t + 1) * size),
          floats(backend, cellActivations).subarray(t * size, (t + 1) * size),
          floats(backend, h_BH),
          hiddenSize,
        );
        floats(backend, hidden).set(floats(backend, h_BH), (t + 1) * size);
      });
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    return [hidden, cell, gates, cellActivations];
  });
}

/** z += inputGates; the g columns are doubled, so that one sigmoid serves all four gates. */
function addInputGates(z: Float32Array, inputGates: Float32Array, hiddenSize: number): void {
  const width = 4 * hiddenSize;
  for (let row = 0; row < z.length; row += width) {
    const [g, o, end] = [row + 2 * hiddenSize, row + 3 * hiddenSize, row + width];
    for (let k = row; k < g; k++) z[k] = z[k]! + inputGates[k]!;
    for (let k = g; k < o; k++) z[k] = 2 * (z[k]! + inputGates[k]!);
    for (let k = o; k < end; k++) z[k] = z[k]! + inputGates[k]!;
  }
}

/**
 * @param sigmoids [B,4H]: σ(z), in the g columns σ(2z).
 * @param gates [B,4H], written.
 * @param cells [2,B,H]: c before, read, and c after, written.
 * @param twiceCell [B,H]: 2c after, written.
 */
function updateCell(
  sigmoids: Float32Array,
  gates: Float32Array,
  cells: Float32Array,
  twiceCell: Float32Array,
  hiddenSize: number,
): void {
  const size = twiceCell.length;
  for (let first = 0; first < size; first += hiddenSize) {
    for (let j = 0; j < hiddenSize; j++) {
      const k = 4 * first + j;
      const i = sigmoids[k]!;
      const f = sigmoids[k + hiddenSize]!;
      const g = Math.fround(2 * sigmoids[k + 2 * hiddenSize]! - 1);
      gates[k] = i;
      gates[k + hiddenSize] = f;
      gates[k + 2 * hiddenSize] = g;
      gates[k + 3 * hiddenSize] = sigmoids[k + 3 * hiddenSize]!;
      const c = Math.fround(f * cells[first + j]! + i * g);
      cells[size + first + j] = c;
      twiceCell[first + j] = 2 * c;
    }
  }
}

/** @param cellSigmoid [B,H]: σ(2c). The activations and h, both [B,H], are written. */
function updateHidden(
  cellSigmoid: Float32Array,
  gates: Float32Array,
  cellActivations: Float32Array,
  hidden: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < hidden.length; first += hiddenSize) {
    const o = 4 * first + 3 * hiddenSize;
    for (let j = 0; j < hiddenSize; j++) {
      const activation = Math.fround(2 * cellSigmoid[first + j]! - 1);
      cellActivations[first + j] = activation;
      hidden[first + j] = gates[o + j]! * activation;
    }
  }
}

export function lstmSequenceBackward({
  inputs,
  attrs,
  backend,
}: KernelCall<
  {
    hiddenGradient: Tensor3D;
    cellGradient?: Tensor3D;
    gates: Tensor3D;
    cell: Tensor3D;
    cellActivations: Tensor3D;
    recurrentKernelTransposed: Tensor2D;
  },
  TimeStepAttributes,
  WasmBackend
>): Tensor[] {
  return tidy(() => {
    const { hiddenGradient, cellGradient, gates, cell, cellActivations } = inputs;
    const { recurrentKernelTransposed } = inputs;
    const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
    const size = numRows * hiddenSize;
    const gateGradients = allocate(backend, [numSteps, numRows, 4 * hiddenSize]);
    const dz_B4H = allocate(backend, [numRows, 4 * hiddenSize]) as Tensor2D;
    // What step t + 1 passes back to c_t, and nothing passes back to the last one.
    const fromNextCell = new Float32Array(size);
    floats(backend, dz_B4H).fill(0);
    for (let t = numSteps - 1; t >= 0; t--) {
      tidy(() => {
        const fromNextHidden_BH = matMul(dz_B4H, recurrentKernelTransposed);
        const dz = floats(backend, dz_B4H);
        if (cellGradient) {
          const ofStep = floats(backend, cellGradient).subarray(t * size, (t + 1) * size);
          for (let k = 0; k < size; k++) fromNextCell[k] = fromNextCell[k]! + ofStep[k]!;
        }
        gateGradientStep(
          floats(backend, hiddenGradient).subarray(t * size, (t + 1) * size),
          floats(backend, fromNextHidden_BH),
          floats(backend, gates).subarray(4 * t * size, 4 * (t + 1) * size),
          floats(backend, cell).subarray(t * size, (t + 1) * size),
          floats(backend, cellActivations).subarray(t * size, (t + 1) * size),
          fromNextCell,
          dz,
          hiddenSize,
        );
        floats(backend, gateGradients).set(dz, 4 * t * size);
      });
      reportTimeSteps(attrs, numSteps - t, numSteps);
    }
    const initialHiddenGradient = matMul(dz_B4H, recurrentKernelTransposed);
    const initialCellGradient = allocate(backend, [numRows, hiddenSize]);
    floats(backend, initialCellGradient).set(fromNextCell);
    return [gateGradients, initialHiddenGradient, initialCellGradient];
  });
}

/** One time step backward; `fromNextCell` [B,H] and `dz` [B,4H] are written, the rest is read. */
function gateGradientStep(
  hiddenGradient: Float32Array,
  fromNextHidden: Float32Array,
  gates: Float32Array,
  cellBefore: Float32Array,
  cellActivations: Float32Array,
  fromNextCell: Float32Array,
  dz: Float32Array,
  hiddenSize: number,
): void {
  for (let first = 0; first < hiddenGradient.length; first += hiddenSize) {
    for (let j = first; j < first + hiddenSize; j++) {
      const k = 3 * first + j;
      const i = gates[k]!;
      const f = gates[k + hiddenSize]!;
      const g = gates[k + 2 * hiddenSize]!;
      const o = gates[k + 3 * hiddenSize]!;
      const activation = cellActivations[j]!;
      const dh = hiddenGradient[j]! + fromNextHidden[j]!;
      const dc = fromNextCell[j]! + dh * o * (1 - activation * activation);
      dz[k] = dc * g * i * (1 - i);
      dz[k + hiddenSize] = dc * cellBefore[j]! * f * (1 - f);
      dz[k + 2 * hiddenSize] = dc * i * (1 - g * g);
      dz[k + 3 * hiddenSize] = dh * activation * o * (1 - o);
      fromNextCell[j] = dc * f;
    }
  }
}
