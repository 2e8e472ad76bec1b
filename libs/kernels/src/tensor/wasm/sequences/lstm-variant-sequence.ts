/**
 * The LSTM with options for the wasm backend, forward; see the plain LSTM's for what is done where.
 * One sigmoid takes i, f and g, a second o and tanh, since the o peephole reads the new cell.
 */
import { matMul, sigmoid, tidy } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";

import type {
  LstmVariantForwardAttributes,
  LstmVariantForwardTensors,
} from "../../reference/index.js";
import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall } from "../../registered-kernel.js";
import { normalizeRow } from "../row-normalization.js";
import { allocate, floats } from "../wasm-heap.js";
import type { WasmBackend } from "../wasm-heap.js";
import { mixInPlace, stepFloats, stepFloatsIf } from "./step-arrays.js";

export function lstmVariantSequenceForward({
  inputs,
  attrs,
  backend,
}: KernelCall<LstmVariantForwardTensors, LstmVariantForwardAttributes, WasmBackend>): Tensor[] {
  return tidy(() => {
    const { inputGates, recurrentKernel, projection, recurrentGain, cellGain } = inputs;
    const [numSteps, numRows, gateSize] = inputGates.shape;
    const [stateSize, hiddenSize] = [recurrentKernel.shape[0], inputs.initialCell.shape[1]];
    const ofState = numRows * stateSize;
    const ofCell = numRows * hiddenSize;
    const ofGates = numRows * gateSize;
    const sequenceOf = (size: number, steps = numSteps): Tensor =>
      allocate(backend, [steps, numRows, size]);
    const hidden = sequenceOf(stateSize, numSteps + 1);
    const cell = sequenceOf(hiddenSize, numSteps + 1);
    const cellCandidates = sequenceOf(hiddenSize);
    const gates = sequenceOf(gateSize);
    const cellActivations = sequenceOf(hiddenSize);
    const projectionInputs = projection && sequenceOf(hiddenSize);
    const ofRecurrent = recurrentGain && normalization(backend, numSteps, numRows, gateSize);
    const ofCells = cellGain && normalization(backend, numSteps, numRows, hiddenSize);
    const h_BR = allocate(backend, [numRows, stateSize]) as Tensor2D;
    const ifg = allocate(backend, [numRows, gateSize - hiddenSize]);
    const outputAndTanh_B2H = allocate(backend, [numRows, 2 * hiddenSize]);
    const unprojected_BH = allocate(backend, [numRows, hiddenSize]) as Tensor2D;
    floats(backend, hidden).set(floats(backend, inputs.initialHidden));
    floats(backend, cell).set(floats(backend, inputs.initialCell));
    floats(backend, h_BR).set(floats(backend, inputs.initialHidden));
    const layout: GateLayout = { hiddenSize, coupledGates: attrs.coupledGates };
    for (let t = 0; t < numSteps; t++) {
      const peephole = (): Float32Array | undefined =>
        inputs.peephole && floats(backend, inputs.peephole);
      tidy(() => {
        const product_BG = matMul(h_BR, recurrentKernel);
        const sums = floats(backend, product_BG);
        if (ofRecurrent) {
          normalizeStep(backend, ofRecurrent, t, sums, attrs.epsilon!);
          sums.set(stepFloats(backend, ofRecurrent.normalized, t, ofGates));
        }
        sumGates(
          stepFloats(backend, inputGates, t, ofGates),
          recurrentGain && floats(backend, recurrentGain),
          peephole(),
          stepFloats(backend, cell, t, ofCell),
          sums,
          floats(backend, ifg),
          layout,
        );
        const sigmoids = floats(backend, sigmoid(ifg));
        const candidates = stepFloats(backend, cellCandidates, t, ofCell);
        const before = stepFloats(backend, cell, t, ofCell);
        const after = stepFloats(backend, cell, t + 1, ofCell);
        const ofStep = stepFloats(backend, gates, t, ofGates);
        updateCell(sigmoids, ofStep, before, candidates, layout);
        after.set(candidates);
        mixInPlace(stepFloatsIf(backend, inputs.keepCell, t, ofCell), before, after);
        if (ofCells) normalizeStep(backend, ofCells, t, candidates, attrs.epsilon!);
        sumOutputs(
          floats(backend, product_BG),
          peephole(),
          candidates,
          ofCells && {
            normalized: stepFloats(backend, ofCells.normalized, t, ofCell),
            gain: floats(backend, cellGain),
            bias: floats(backend, inputs.cellBias!),
          },
          floats(backend, outputAndTanh_B2H),
          layout,
        );
        updateOutputs(
          floats(backend, sigmoid(outputAndTanh_B2H)),
          stepFloats(backend, gates, t, ofGates),
          stepFloats(backend, cellActivations, t, ofCell),
          floats(backend, unprojected_BH),
          layout,
        );
        const output_BR = projection ? matMul(unprojected_BH, projection) : unprojected_BH;
        const unprojected = floats(backend, unprojected_BH);
        if (projectionInputs) {
          stepFloats(backend, projectionInputs, t, ofCell).set(unprojected);
        }
        const state = stepFloats(backend, hidden, t + 1, ofState);
        state.set(floats(backend, output_BR));
        const kept = stepFloatsIf(backend, inputs.keepHidden, t, ofState);
        mixInPlace(kept, stepFloats(backend, hidden, t, ofState), state);
        floats(backend, h_BR).set(state);
      });
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    const always = [hidden, cell, cellCandidates, gates, cellActivations];
    const ofNorms = [ofRecurrent, ofCells].flatMap((norm) =>
      norm ? [norm.normalized, norm.inverseDeviations] : [],
    );
    return [...always, ...(projectionInputs ? [projectionInputs] : []), ...ofNorms];
  });
}

interface Normalization {
  /** [T,B,C] */
  readonly normalized: Tensor;
  /** [T,B] */
  readonly inverseDeviations: Tensor;
  readonly numRows: number;
  readonly numColumns: number;
}

function normalization(
  backend: WasmBackend,
  numSteps: number,
  numRows: number,
  numColumns: number,
): Normalization {
  return {
    normalized: allocate(backend, [numSteps, numRows, numColumns]),
    inverseDeviations: allocate(backend, [numSteps, numRows]),
    numRows,
    numColumns,
  };
}

function normalizeStep(
  backend: WasmBackend,
  { normalized, inverseDeviations, numRows, numColumns }: Normalization,
  t: number,
  rows: Float32Array,
  epsilon: number,
): void {
  const written = stepFloats(backend, normalized, t, numRows * numColumns);
  const deviations = stepFloats(backend, inverseDeviations, t, numRows);
  for (let row = 0; row < numRows; row++) {
    deviations[row] = normalizeRow(rows, written, row * numColumns, numColumns, epsilon);
  }
}

interface GateLayout {
  readonly hiddenSize: number;
  readonly coupledGates: boolean;
}

/**
 * @param sums [B,G·H]: the recurrent product, normalized if there is a gain; becomes a, of which
 *   the o columns lack the peephole's share.
 * @param ifg [B,(G−1)·H], written: a of all gates but o, the g columns doubled.
 */
function sumGates(
  x: Float32Array,
  gain: Float32Array | undefined,
  peephole: Float32Array | undefined,
  before: Float32Array,
  sums: Float32Array,
  ifg: Float32Array,
  { hiddenSize, coupledGates }: GateLayout,
): void {
  const numGates = coupledGates ? 3 : 4;
  const gateSize = numGates * hiddenSize;
  const numPeeping = numGates - 2;
  for (let row = 0, to = 0, c = 0; row < sums.length; row += gateSize, c += hiddenSize) {
    for (let k = 0; k < gateSize; k++) {
      const recurrent = gain === undefined ? sums[row + k]! : sums[row + k]! * gain[k]!;
      sums[row + k] = x[row + k]! + recurrent;
    }
    for (let gate = 0; gate < numPeeping; gate++) {
      const first = gate * hiddenSize;
      for (let j = 0; j < hiddenSize; j++) {
        const seen = peephole === undefined ? 0 : peephole[first + j]! * before[c + j]!;
        ifg[to++] = sums[row + first + j]! + seen;
      }
    }
    const g = row + numPeeping * hiddenSize;
    for (let j = 0; j < hiddenSize; j++) ifg[to++] = 2 * sums[g + j]!;
  }
}

/**
 * @param sigmoids [B,(G−1)·H]: of i, f, and σ(2a) of g.
 * @param gates [B,G·H]: all columns but o are written.
 * @param candidates [B,H]: c̃, written.
 */
function updateCell(
  sigmoids: Float32Array,
  gates: Float32Array,
  before: Float32Array,
  candidates: Float32Array,
  { hiddenSize, coupledGates }: GateLayout,
): void {
  const numGates = coupledGates ? 3 : 4;
  const gColumn = (numGates - 2) * hiddenSize;
  let [from, to] = [0, 0];
  for (let first = 0; first < candidates.length; first += hiddenSize) {
    for (let j = 0; j < hiddenSize; j++) {
      const i = sigmoids[from + j]!;
      const f = coupledGates ? Math.fround(1 - i) : sigmoids[from + hiddenSize + j]!;
      const g = Math.fround(2 * sigmoids[from + gColumn + j]! - 1);
      gates[to + j] = i;
      if (!coupledGates) gates[to + hiddenSize + j] = f;
      gates[to + gColumn + j] = g;
      candidates[first + j] = f * before[first + j]! + i * g;
    }
    from += (numGates - 1) * hiddenSize;
    to += numGates * hiddenSize;
  }
}

/** @param written [B,2H]: a_o and twice what tanh is taken of. */
function sumOutputs(
  sums: Float32Array,
  peephole: Float32Array | undefined,
  candidates: Float32Array,
  norm:
    | {
        readonly normalized: Float32Array;
        readonly gain: Float32Array;
        readonly bias: Float32Array;
      }
    | undefined,
  written: Float32Array,
  { hiddenSize, coupledGates }: GateLayout,
): void {
  const numGates = coupledGates ? 3 : 4;
  const oColumn = (numGates - 1) * hiddenSize;
  const oPeephole = (numGates - 2) * hiddenSize;
  for (let first = 0; first < candidates.length; first += hiddenSize) {
    const o = numGates * first + oColumn;
    for (let j = 0; j < hiddenSize; j++) {
      const candidate = candidates[first + j]!;
      const seen = peephole === undefined ? 0 : peephole[oPeephole + j]! * candidate;
      const inTanh =
        norm === undefined
          ? candidate
          : norm.normalized[first + j]! * norm.gain[j]! + norm.bias[j]!;
      written[2 * first + j] = sums[o + j]! + seen;
      written[2 * first + hiddenSize + j] = 2 * inTanh;
    }
  }
}

/** @param sigmoids [B,2H]: of what {@link sumOutputs} wrote. The gates' o columns are written. */
function updateOutputs(
  sigmoids: Float32Array,
  gates: Float32Array,
  cellActivations: Float32Array,
  unprojected: Float32Array,
  { hiddenSize, coupledGates }: GateLayout,
): void {
  const numGates = coupledGates ? 3 : 4;
  for (let first = 0; first < unprojected.length; first += hiddenSize) {
    const toO = numGates * first + (numGates - 1) * hiddenSize;
    for (let j = 0; j < hiddenSize; j++) {
      const o = sigmoids[2 * first + j]!;
      const activation = Math.fround(2 * sigmoids[2 * first + hiddenSize + j]! - 1);
      gates[toO + j] = o;
      cellActivations[first + j] = activation;
      unprojected[first + j] = o * activation;
    }
  }
}
