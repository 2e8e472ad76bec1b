/** The LSTM with options for the wasm backend, backward; see the plain LSTM's for what is done where. */
import { clone, matMul, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

import type {
  LstmVariantBackwardAttributes,
  LstmVariantBackwardTensors,
} from "../../reference/index.js";
import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall } from "../../registered-kernel.js";
import { normalizedRowGradient } from "../row-normalization.js";
import { allocate, floats } from "../wasm-heap.js";
import type { WasmBackend } from "../wasm-heap.js";
import { addInto, addThree, stepFloats, stepFloatsIf, unmixInPlace } from "./step-arrays.js";

export function lstmVariantSequenceBackward({
  inputs,
  attrs,
  backend,
}: KernelCall<LstmVariantBackwardTensors, LstmVariantBackwardAttributes, WasmBackend>): Tensor[] {
  return tidy(() => {
    const { hiddenGradient, projectionTransposed, recurrentKernelTransposed } = inputs;
    const { recurrentGain, cellGain } = inputs;
    const [numSteps, numRows, stateSize] = hiddenGradient.shape;
    const [hiddenSize, gateSize] = [inputs.cell.shape[2], inputs.gates.shape[2]];
    const ofState = numRows * stateSize;
    const ofCell = numRows * hiddenSize;
    const ofGates = numRows * gateSize;
    const sequenceOf = (size: number): Tensor => allocate(backend, [numSteps, numRows, size]);
    const gateGradients = sequenceOf(gateSize);
    const recurrentGradients = recurrentGain && sequenceOf(gateSize);
    const projectionGradients = projectionTransposed && sequenceOf(stateSize);
    const cellNormGradients = cellGain && sequenceOf(hiddenSize);
    const recurrent_BG = allocate(backend, [numRows, gateSize]) as Tensor2D;
    const output_BR = allocate(backend, [numRows, stateSize]) as Tensor2D;
    floats(backend, recurrent_BG).fill(0);
    // What step t + 1 passes back: to h_t beside its product, and to c_t.
    const keptHidden = new Float32Array(ofState);
    const fromNextCell = new Float32Array(ofCell);
    const scratch = { keptCell: new Float32Array(ofCell), cellNorm: new Float32Array(ofCell) };
    for (let t = numSteps - 1; t >= 0; t--) {
      tidy(() => {
        const product_BR = matMul(recurrent_BG, recurrentKernelTransposed);
        const output = floats(backend, output_BR);
        const ofHidden = stepFloats(backend, hiddenGradient, t, ofState);
        addThree(output, ofHidden, floats(backend, product_BR), keptHidden);
        unmixInPlace(stepFloatsIf(backend, inputs.keepHidden, t, ofState), output, keptHidden);
        if (projectionGradients) stepFloats(backend, projectionGradients, t, ofState).set(output);
        const unprojected_BH = projectionTransposed
          ? matMul(output_BR, projectionTransposed)
          : output_BR;
        const ofCells = stepFloatsIf(backend, inputs.cellGradient, t, ofCell);
        if (ofCells) addInto(fromNextCell, ofCells);
        const keepCell = stepFloatsIf(backend, inputs.keepCell, t, ofCell);
        unmixInPlace(keepCell, fromNextCell, scratch.keptCell);
        const gates = stepFloats(backend, gateGradients, t, ofGates);
        const step: CellStep = {
          hiddenSize,
          coupledGates: attrs.coupledGates,
          unprojected: floats(backend, unprojected_BH),
          gates: stepFloats(backend, inputs.gates, t, ofGates),
          before: stepFloats(backend, inputs.cell, t, ofCell),
          activations: stepFloats(backend, inputs.cellActivations, t, ofCell),
          peephole: inputs.peephole && floats(backend, inputs.peephole),
          cellNorm: scratch.cellNorm,
          dGates: gates,
          dCell: fromNextCell,
        };
        outputGradients(step);
        if (cellNormGradients) {
          stepFloats(backend, cellNormGradients, t, ofCell).set(scratch.cellNorm);
          const { cellNormalized, cellInverseDeviations } = inputs;
          const saved = { normalized: cellNormalized!, inverseDeviations: cellInverseDeviations! };
          unnormalizeStep(backend, saved, t, cellGain, scratch.cellNorm, scratch.cellNorm, numRows);
        }
        cellGradients(step);
        addInto(fromNextCell, scratch.keptCell);
        const recurrent = floats(backend, recurrent_BG);
        if (recurrentGradients) {
          const { recurrentNormalized, recurrentInverseDeviations } = inputs;
          const saved = {
            normalized: recurrentNormalized!,
            inverseDeviations: recurrentInverseDeviations!,
          };
          unnormalizeStep(backend, saved, t, recurrentGain, gates, recurrent, numRows);
          stepFloats(backend, recurrentGradients, t, ofGates).set(recurrent);
        } else {
          recurrent.set(gates);
        }
      });
      reportTimeSteps(attrs, numSteps - t, numSteps);
    }
    const initialHiddenGradient = matMul(recurrent_BG, recurrentKernelTransposed);
    addInto(floats(backend, initialHiddenGradient), keptHidden);
    const initialCellGradient = allocate(backend, [numRows, hiddenSize]);
    floats(backend, initialCellGradient).set(fromNextCell);
    return [
      gateGradients,
      recurrentGradients ?? clone(gateGradients),
      initialHiddenGradient,
      initialCellGradient,
      ...(projectionGradients ? [projectionGradients] : []),
      ...(cellNormGradients ? [cellNormGradients] : []),
    ];
  });
}

/** The gradient of rows, of their gradient after normalization and gain, at step t. */
function unnormalizeStep(
  backend: WasmBackend,
  saved: { readonly normalized: Tensor; readonly inverseDeviations: Tensor },
  t: number,
  gain: Tensor | undefined,
  gradient: Float32Array,
  rowGradient: Float32Array,
  numRows: number,
): void {
  const numColumns = gradient.length / numRows;
  const normalized = stepFloats(backend, saved.normalized, t, gradient.length);
  const deviations = stepFloats(backend, saved.inverseDeviations, t, numRows);
  const gains = gain && floats(backend, gain);
  for (let row = 0, first = 0; row < numRows; row++, first += numColumns) {
    normalizedRowGradient(
      gradient,
      gains,
      normalized,
      deviations[row]!,
      rowGradient,
      first,
      numColumns,
    );
  }
}

/** One step's arrays, [B,H] but for gates. */
interface CellStep {
  readonly hiddenSize: number;
  readonly coupledGates: boolean;
  /** With respect to o∘tanh. */
  readonly unprojected: Float32Array;
  /** [B,G·H], of the forward pass, as the next two. */
  readonly gates: Float32Array;
  readonly before: Float32Array;
  readonly activations: Float32Array;
  /** [3,H] or [2,H] */
  readonly peephole: Float32Array | undefined;
  /** Written: with respect to what tanh is taken of; then, to c̃ through it. */
  readonly cellNorm: Float32Array;
  /** [B,G·H], written. */
  readonly dGates: Float32Array;
  /** With respect to c̃ but for its way through h; becomes that of c_{t−1}. */
  readonly dCell: Float32Array;
}

/** The o columns of the gates' gradients, and `cellNorm`. */
function outputGradients(step: CellStep): void {
  const { hiddenSize, unprojected, gates, activations, cellNorm, dGates } = step;
  const numGates = step.coupledGates ? 3 : 4;
  for (let first = 0; first < unprojected.length; first += hiddenSize) {
    const oColumn = numGates * first + (numGates - 1) * hiddenSize;
    for (let j = 0; j < hiddenSize; j++) {
      const dm = unprojected[first + j]!;
      const activation = activations[first + j]!;
      const o = gates[oColumn + j]!;
      dGates[oColumn + j] = dm * activation * o * (1 - o);
      cellNorm[first + j] = dm * o * (1 - activation * activation);
    }
  }
}

/** The other columns, and `dCell`. */
function cellGradients(step: CellStep): void {
  const { hiddenSize, coupledGates, gates, before, peephole, cellNorm, dGates, dCell } = step;
  const numGates = coupledGates ? 3 : 4;
  const [gColumn, oColumn] = [(numGates - 2) * hiddenSize, (numGates - 1) * hiddenSize];
  for (let first = 0; first < dCell.length; first += hiddenSize) {
    for (let j = 0; j < hiddenSize; j++) {
      const k = numGates * first + j;
      const c = before[first + j]!;
      const i = gates[k]!;
      const g = gates[k + gColumn]!;
      const f = coupledGates ? Math.fround(1 - i) : gates[k + hiddenSize]!;
      let dc = dCell[first + j]! + cellNorm[first + j]!;
      if (peephole) dc += peephole[gColumn + j]! * dGates[k + oColumn]!;
      const di = dc * (coupledGates ? g - c : g) * i * (1 - i);
      const df = dc * c * f * (1 - f);
      dGates[k] = di;
      dGates[k + gColumn] = dc * i * (1 - g * g);
      let toBefore = dc * f;
      if (peephole) toBefore += peephole[j]! * di;
      if (!coupledGates) {
        dGates[k + hiddenSize] = df;
        if (peephole) toBefore += peephole[hiddenSize + j]! * df;
      }
      dCell[first + j] = toBefore;
    }
  }
}
