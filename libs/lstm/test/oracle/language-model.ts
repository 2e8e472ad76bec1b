/** A language model in float64, one scalar at a time, leaf by leaf. */
import type { LanguageModelSpec } from "../../src/index.js";
import type { TokenBatch } from "../../src/model/index.js";
import type { CellState } from "./cells.js";
import type { OracleMasks } from "./masks.js";
import type { OracleMoments, RunningStatistics } from "./normalization.js";
import { dropped, penaltyAt } from "./regularization.js";
import { runStack } from "./stack.js";
import type { StackStates } from "./stack.js";
import { product } from "./tensors.js";
import type { OracleTensors, Sequence, Vector } from "./tensors.js";

export interface LanguageModelCall {
  readonly spec: LanguageModelSpec;
  readonly tensors: OracleTensors;
  readonly masks: OracleMasks;
  readonly running: RunningStatistics;
  readonly batch: TokenBatch;
  /** Of each leaf, laid out [layer][h, c][row][size]. */
  readonly states: readonly Float32Array[];
}

export interface OracleOutcome {
  /** What the gradients are of: the losses with the penalties. */
  readonly objective: number;
  readonly lossSum: number;
  readonly lossWeight: number;
  /** Laid out as the states of the call. */
  readonly state: Vector;
  readonly moments: readonly OracleMoments[];
}

/** Of each leaf. */
export function runLanguageModel(call: LanguageModelCall): OracleOutcome[] {
  return call.batch.leaves.map((leaf, index) => {
    const { spec, batch } = call;
    if (leaf.numRows === 0) return NOTHING;
    const stack = runStack({
      ...call,
      bidirectional: false,
      prefix: "",
      firstMaskLayer: 0,
      leaf: leaf.leaf,
      inputs: embedded(call, leaf),
      initial: unflattened(spec, call.states[index]!, leaf.numRows),
      countedSteps: countedSteps(batch, leaf),
    });
    const outputs = dropped({ ...call, leaf: leaf.leaf, purpose: "outputDropout" }, stack.outputs);
    let [lossSum, lossWeight, penalties] = [0, 0, 0];
    // In the order (time, row), since the weights are summed in it.
    for (let t = 0; t < batch.numSteps; t++) {
      for (let row = 0; row < leaf.numRows; row++) {
        const position = t * batch.numRows + leaf.firstRow + row;
        const weight = batch.weights[position]!;
        lossSum += weight * lossOf(call, outputs[row]![t]!, batch.targets[position]!);
        lossWeight += weight;
        penalties += weight * penaltyAt(spec, stack.outputs[row]!, outputs[row]!, t);
      }
    }
    return {
      objective: lossSum + penalties,
      lossSum,
      lossWeight,
      state: flattened(stack.final),
      moments: stack.moments,
    };
  });
}

const NOTHING: OracleOutcome = {
  objective: 0,
  lossSum: 0,
  lossWeight: 0,
  state: [],
  moments: [],
};

type Leaf = TokenBatch["leaves"][number];

/** Of each row: up to its last position with a weight. */
function countedSteps({ numRows, weights }: TokenBatch, leaf: Leaf): number[] {
  return Array.from({ length: leaf.numRows }, (_, row) => {
    const ofRow = weights.filter((__, position) => position % numRows === leaf.firstRow + row);
    return ofRow.findLastIndex((weight) => weight > 0) + 1;
  });
}

function embedded(call: LanguageModelCall, { leaf, firstRow, numRows }: Leaf): Sequence {
  const { spec, tensors, masks, batch } = call;
  const { embeddingSize, vocabularySize } = spec;
  const table = tensors.of("embedding.table");
  const rowMask = masks.shared("embeddingDropout", 0, spec.embeddingDropout, vocabularySize);
  const inputs = Array.from({ length: numRows }, (_, row) =>
    Array.from({ length: batch.numSteps }, (_, t) => {
      const token = batch.inputs[t * batch.numRows + firstRow + row]!;
      const start = token * embeddingSize;
      return Array.from(table.subarray(start, start + embeddingSize), (x) => x * rowMask(token));
    }),
  );
  return dropped({ ...call, leaf, purpose: "inputDropout" }, inputs);
}

/** Cross-entropy; in training with the target's probability smoothed (Szegedy et al., 2016, section 7). */
function lossOf({ spec, tensors, masks }: LanguageModelCall, h: Vector, target: number): number {
  const bias = tensors.of("head.bias");
  const size = bias.length;
  const table = tensors.of("embedding.table");
  const ofHidden = spec.tiedEmbedding
    ? Array.from(bias, (_, v) => h.reduce((sum, x, j) => sum + x * table[v * h.length + j]!, 0))
    : product(h, tensors.of("head.kernel"), size);
  const logits = ofHidden.map((value, v) => value + bias[v]!);
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const smoothing = masks.isTraining ? spec.labelSmoothing : 0;
  return logits.reduce((loss, logit, v) => {
    const probability = (v === target ? 1 - smoothing : 0) + smoothing / size;
    return loss - probability * (logit - total);
  }, 0);
}

function unflattened(spec: LanguageModelSpec, state: Float32Array, numRows: number): StackStates {
  const outputSize = spec.projectionSize ?? spec.hiddenSize;
  const cellSize = spec.cell === "lstm" ? spec.hiddenSize : 0;
  let offset = 0;
  const rowsOf = (size: number): number[][] =>
    Array.from({ length: numRows }, () => {
      offset += size;
      return Array.from(state.subarray(offset - size, offset));
    });
  return Array.from({ length: spec.numLayers }, () => {
    const [h, c] = [rowsOf(outputSize), rowsOf(cellSize)];
    return [h.map((ofRow, row): CellState => ({ h: ofRow, c: c[row]! }))];
  });
}

function flattened(states: StackStates): number[] {
  return states.flatMap(([rows]) => [
    ...rows!.flatMap(({ h }) => h),
    ...rows!.flatMap(({ c }) => c),
  ]);
}
