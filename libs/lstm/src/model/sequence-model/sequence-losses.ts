import { valuesOfLeaf } from "@ostinato/kernels/tensor";

import type { LeafLoss } from "../layers/index.js";
import type { Loss } from "../../losses/index.js";
import { LstmError } from "../../lstm-error.js";
import type { SequenceModelSpec } from "../../spec/index.js";
import type { BatchLeaf } from "../batch-leaves.js";
import type { SequenceBatch } from "./sequence-batch.js";

/** What a model's outputs came to, and which way they are to go. */
export interface SequenceLossGradients {
  readonly losses: readonly LeafLoss[];
  /** As large as the outputs. */
  readonly outputGradient: Float32Array;
}

/** [T,B]: what each position counts; 0 in the padding, 1 where the batch says nothing. */
export function positionWeights(
  { output, loss }: SequenceModelSpec,
  { numSteps, numRows, lengths, weights }: SequenceBatch,
): Float32Array {
  const ofPositions = new Float32Array(numSteps * numRows);
  const isEveryStep = output === "everyStep" && loss.kind !== "ctc";
  for (let t = 0; t < numSteps; t++) {
    for (let row = 0; row < numRows; row++) {
      const length = lengths?.[row] ?? numSteps;
      if (t >= length) continue;
      // The row's weight is spread over its steps where it has one for all of them.
      const index = isEveryStep ? t * numRows + row : row;
      ofPositions[t * numRows + row] = (weights?.[index] ?? 1) / (isEveryStep ? 1 : length);
    }
  }
  return ofPositions;
}

/** What each output counts: [T,B] of every step, else [B]. */
function outputWeights(spec: SequenceModelSpec, batch: SequenceBatch): Float32Array {
  if (spec.output === "everyStep" && spec.loss.kind !== "ctc") return positionWeights(spec, batch);
  return batch.weights ?? new Float32Array(batch.numRows).fill(1);
}

/**
 * Losses of the outputs, leaf by leaf.
 *
 * @param outputs [T',B,O]; T' is 1 for outputs of the last step.
 * @throws LstmError `invalidBatch` for targets that the loss does not take
 */
export function sequenceLosses(
  spec: SequenceModelSpec,
  loss: Loss,
  batch: SequenceBatch,
  outputs: Float32Array,
): readonly LeafLoss[] {
  return lossesOfLeaves(spec, loss, batch, outputs, undefined);
}

/** As {@link sequenceLosses}, with the gradient of the outputs. */
export function sequenceLossGradients(
  spec: SequenceModelSpec,
  loss: Loss,
  batch: SequenceBatch,
  outputs: Float32Array,
): SequenceLossGradients {
  const outputGradient = new Float32Array(outputs.length);
  const losses = lossesOfLeaves(spec, loss, batch, outputs, outputGradient);
  return { losses, outputGradient };
}

/** @param outputGradient filled where it is given. */
function lossesOfLeaves(
  spec: SequenceModelSpec,
  loss: Loss,
  batch: SequenceBatch,
  outputs: Float32Array,
  outputGradient: Float32Array | undefined,
): LeafLoss[] {
  const { numRows } = batch;
  const numSteps = spec.output === "lastStep" ? 1 : batch.numSteps;
  const weights = outputWeights(spec, batch);
  return batch.leaves.map((leaf): LeafLoss => {
    if (leaf.numRows === 0) return { lossSum: 0, lossWeight: 0 };
    const width = loss.outputSize;
    const ofLeaf = blockOf(outputs, numSteps, numRows, width, leaf);
    const gradient = outputGradient && new Float32Array(ofLeaf.length);
    const totals = lossOfLeaf(spec, loss, batch, {
      leaf,
      weights,
      outputs: ofLeaf,
      outputGradient: gradient,
    });
    if (gradient === undefined) return totals;
    for (let t = 0; t < numSteps; t++) {
      const size = leaf.numRows * width;
      const ofStep = gradient.subarray(t * size, (t + 1) * size);
      outputGradient?.set(ofStep, (t * numRows + leaf.firstRow) * width);
    }
    return totals;
  });
}

function lossOfLeaf(
  spec: SequenceModelSpec,
  loss: Loss,
  batch: SequenceBatch,
  {
    leaf,
    weights,
    outputs,
    outputGradient,
  }: {
    readonly leaf: BatchLeaf;
    /** Of all leaves' outputs. */
    readonly weights: Float32Array;
    readonly outputs: Float32Array;
    /** Filled where it is given. */
    readonly outputGradient: Float32Array | undefined;
  },
): LeafLoss {
  const { numRows: rowsOfLeaf } = leaf;
  if (loss.targetKind === "labelSequences") {
    const call = {
      ...labelSequences(batch, weights, leaf),
      outputs,
      numRows: rowsOfLeaf,
      firstRow: leaf.firstRow,
    };
    return totalsOf(loss, call, outputGradient);
  }
  const { numRows } = batch;
  const isLastStep = spec.output === "lastStep";
  const numSteps = isLastStep ? 1 : batch.numSteps;
  const call = {
    outputs,
    numRows: rowsOfLeaf,
    weights: valuesOfLeaf(weights, numSteps, numRows, leaf),
    placeOf: (step: number, row: number): string =>
      `at ${isLastStep ? "the last step of" : `step ${step},`} row ${leaf.firstRow + row}`,
  };
  const expected = numSteps * numRows * loss.targetSize;
  if (batch.targets.length !== expected) {
    const each = loss.targetSize === 1 ? "" : ` × ${loss.targetSize} values`;
    throw invalid(
      `targets has ${batch.targets.length} values, expected ${numSteps} steps × ${numRows} rows${each}`,
    );
  }
  if (loss.targetKind === "classes") {
    const targets = requireKind(batch.targets, Int32Array, "classes in an Int32Array");
    const ofLeaf = valuesOfLeaf(targets, numSteps, numRows, leaf);
    return totalsOf(loss, { ...call, targets: ofLeaf }, outputGradient);
  }
  const targets = requireKind(batch.targets, Float32Array, "values in a Float32Array");
  const ofLeaf = blockOf(targets, numSteps, numRows, loss.targetSize, leaf);
  return totalsOf(loss, { ...call, targets: ofLeaf }, outputGradient);
}

function totalsOf<Call>(
  loss: {
    evaluate(call: Call): LeafLoss;
    gradient(call: Call & { readonly outputGradient: Float32Array }): LeafLoss;
  },
  call: Call,
  outputGradient: Float32Array | undefined,
): LeafLoss {
  return outputGradient === undefined
    ? loss.evaluate(call)
    : loss.gradient({ ...call, outputGradient });
}

function labelSequences(
  { numSteps, numRows, lengths, targets, targetLengths }: SequenceBatch,
  weights: Float32Array,
  { firstRow, numRows: rowsOfLeaf }: BatchLeaf,
): {
  readonly inputLengths: Int32Array;
  readonly targets: Int32Array;
  readonly targetLengths: Int32Array;
  readonly weights: Float32Array;
} {
  const labels = requireKind(targets, Int32Array, "labels in an Int32Array");
  if (targetLengths?.length !== numRows) {
    const found = targetLengths === undefined ? "missing" : `${targetLengths.length} values`;
    throw invalid(`targetLengths is ${found}, expected ${numRows} rows`);
  }
  const longest = labels.length / numRows;
  if (!Number.isInteger(longest)) {
    throw invalid(
      `targets has ${labels.length} labels, expected as many for each of ${numRows} rows`,
    );
  }
  const ofRows = <Values extends Int32Array | Float32Array>(values: Values): Values =>
    values.slice(firstRow, firstRow + rowsOfLeaf) as Values;
  return {
    inputLengths: ofRows(lengths ?? new Int32Array(numRows).fill(numSteps)),
    targets: labels.slice(firstRow * longest, (firstRow + rowsOfLeaf) * longest),
    targetLengths: ofRows(targetLengths),
    weights: ofRows(weights),
  };
}

/** One leaf's rows of a [T,B,C] array: [T,rows,C]. */
function blockOf(
  values: Float32Array,
  numSteps: number,
  numRows: number,
  numColumns: number,
  { firstRow, numRows: rowsOfLeaf }: BatchLeaf,
): Float32Array {
  const wide = { leaf: 0, firstRow: firstRow * numColumns, numRows: rowsOfLeaf * numColumns };
  return valuesOfLeaf(values, numSteps, numRows * numColumns, wide);
}

function requireKind<Values extends Int32Array | Float32Array>(
  values: Int32Array | Float32Array,
  kind: new (length: number) => Values,
  expected: string,
): Values {
  if (values instanceof kind) return values;
  throw invalid(`targets are a ${values.constructor.name}, expected ${expected}`);
}

const invalid = (what: string): LstmError =>
  new LstmError("invalidBatch", `sequence batch: ${what}`);
