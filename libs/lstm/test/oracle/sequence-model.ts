/** A sequence model in float64, one scalar at a time, row by row. */
import { cellSizes } from "../../src/layout/index.js";
import type { SequenceModelSpec } from "../../src/index.js";
import { isEveryStep } from "../support/sequence-models.js";
import type { SequenceRow } from "../support/sequence-models.js";
import { ctcLoss, lossAt } from "./losses.js";
import type { OracleMasks } from "./masks.js";
import type { RunningStatistics } from "./normalization.js";
import { dropped, penaltyAt } from "./regularization.js";
import { runStack } from "./stack.js";
import type { StackStates } from "./stack.js";
import { product } from "./tensors.js";
import type { OracleTensors, Sequence, Vector } from "./tensors.js";

export interface SequenceModelCall {
  readonly spec: SequenceModelSpec;
  readonly tensors: OracleTensors;
  readonly masks: OracleMasks;
  readonly running: RunningStatistics;
  readonly leaf: number;
  readonly rows: readonly SequenceRow[];
}

export interface OracleOutcome {
  /** What the gradients are of: the losses with the penalties. */
  readonly objective: number;
  readonly lossSum: number;
  readonly lossWeight: number;
  /** [row][output]: the head's. */
  readonly outputs: Sequence;
}

/** One leaf. */
export function runSequenceModel(call: SequenceModelCall): OracleOutcome {
  const { spec, tensors, masks, rows } = call;
  if (rows.length === 0) return { objective: 0, lossSum: 0, lossWeight: 0, outputs: [] };
  const stack = runStack({
    ...call,
    bidirectional: spec.bidirectional,
    prefix: "",
    firstMaskLayer: 0,
    inputs: dropped({ ...call, purpose: "inputDropout" }, inputsOf(call)),
    initial: zeroStates(spec, rows.length),
  });
  const above = dropped({ ...call, purpose: "outputDropout" }, stack.outputs);
  const [kernel, bias] = [tensors.of("head.kernel"), tensors.of("head.bias")];
  const head = (h: Vector): Vector =>
    product(h, kernel, bias.length).map((value, k) => value + bias[k]!);
  const outputs = above.map((steps) =>
    (spec.output === "lastStep" ? steps.slice(-1) : steps).map(head),
  );
  let [lossSum, lossWeight, penalties] = [0, 0, 0];
  for (const [row, { targets, weights }] of rows.entries()) {
    const ofRow = outputs[row]!;
    for (const [n, weight] of weights.entries()) {
      if (weight === 0) continue;
      const { loss, share } =
        spec.loss.kind === "ctc"
          ? { loss: ctcLoss(ofRow, targets[0]!, spec.loss.blankIndex), share: 1 }
          : lossAt(spec.loss, ofRow[n]!, targets[n]!, masks.isTraining);
      lossSum += weight * loss;
      lossWeight += weight * share;
    }
    const numSteps = above[row]!.length;
    for (let t = 0; t < numSteps; t++) {
      // A row that has one weight spreads it over its steps.
      const weight = isEveryStep(spec) ? weights[t]! : weights[0]! / numSteps;
      penalties += weight * penaltyAt(spec, stack.outputs[row]!, above[row]!, t);
    }
  }
  return { objective: lossSum + penalties, lossSum, lossWeight, outputs };
}

function inputsOf({ spec, tensors, masks, rows }: SequenceModelCall): Sequence {
  const { input } = spec;
  if (input.kind === "values") return rows.map(({ inputs }) => inputs);
  const table = tensors.of("embedding.table");
  const { embeddingSize: size, vocabularySize } = input;
  const rowMask = masks.shared("embeddingDropout", 0, spec.embeddingDropout, vocabularySize);
  return rows.map(({ inputs }) =>
    inputs.map(([token]) =>
      Array.from(
        table.subarray(token! * size, (token! + 1) * size),
        (value) => value * rowMask(token!),
      ),
    ),
  );
}

function zeroStates(spec: SequenceModelSpec, numRows: number): StackStates {
  const { outputSize, hiddenSize, hasCellState } = cellSizes(spec);
  const zeros = (size: number): number[] => new Array<number>(size).fill(0);
  const state = { h: zeros(outputSize), c: zeros(hasCellState ? hiddenSize : 0) };
  return Array.from({ length: spec.numLayers }, () =>
    Array.from({ length: spec.bidirectional ? 2 : 1 }, () =>
      Array.from({ length: numRows }, () => state),
    ),
  );
}
