/** Models of the sizes to measure, with a batch of random values for each. */
import { compileModelSpec, stateShape } from "@ostinato/lstm";
import { createLanguageModel, createSequenceModel } from "@ostinato/lstm/model";
import type { BatchLeaf, SequenceBatch, TokenBatch, Trainable } from "@ostinato/lstm/model";

import type { ForecasterSizes, LanguageModelSizes, Training } from "../cases/index.js";

export interface PreparedModel<Input> {
  readonly model: Trainable<Input> & { dispose(): void };
  readonly input: Input;
}

interface BatchSizes {
  readonly numSteps: number;
  readonly numRows: number;
  readonly leaves: readonly BatchLeaf[];
}

/** @param use takes the model, whatever it reads. */
export function withModel<Result>(
  { model, numSteps }: Training,
  rows: { readonly numRows: number; readonly numLeaves: number },
  use: <Input>(prepared: PreparedModel<Input>) => Result,
): Result {
  const sizes = { numSteps, numRows: rows.numRows, leaves: leavesOf(rows) };
  return model.kind === "languageModel"
    ? use(languageModel(model, sizes))
    : use(forecaster(model, sizes));
}

function languageModel(
  sizes: LanguageModelSizes,
  batch: BatchSizes,
): PreparedModel<{ readonly batch: TokenBatch; readonly states: readonly Float32Array[] }> {
  const spec = compileModelSpec({ ...sizes });
  const numPositions = batch.numSteps * batch.numRows;
  const tokens = (): Int32Array =>
    Int32Array.from({ length: numPositions }, () =>
      Math.floor(Math.random() * sizes.vocabularySize),
    );
  const { valuesPerRow } = stateShape(spec);
  return {
    model: createLanguageModel(spec),
    input: {
      batch: {
        ...batch,
        inputs: tokens(),
        targets: tokens(),
        weights: new Float32Array(numPositions).fill(1),
      },
      states: batch.leaves.map(({ numRows }) => new Float32Array(numRows * valuesPerRow)),
    },
  };
}

function forecaster(
  { inputSize, hiddenSize, numLayers }: ForecasterSizes,
  batch: BatchSizes,
): PreparedModel<{ readonly batch: SequenceBatch }> {
  const spec = compileModelSpec({
    kind: "sequenceModel",
    input: { kind: "values", size: inputSize },
    ...{ hiddenSize, numLayers, numTargets: 1 },
    output: "everyStep",
    loss: { kind: "meanSquared" },
  });
  const numPositions = batch.numSteps * batch.numRows;
  const values = (length: number): Float32Array =>
    Float32Array.from({ length }, () => 2 * Math.random() - 1);
  return {
    model: createSequenceModel(spec),
    input: {
      batch: { ...batch, inputs: values(numPositions * inputSize), targets: values(numPositions) },
    },
  };
}

/** As even as they can be; the first ones have the rows that are left over. */
function leavesOf(rows: { readonly numRows: number; readonly numLeaves: number }): BatchLeaf[] {
  const { numRows, numLeaves } = rows;
  let firstRow = 0;
  return Array.from({ length: numLeaves }, (_, leaf) => {
    const rowsOfLeaf = Math.floor(numRows / numLeaves) + (leaf < numRows % numLeaves ? 1 : 0);
    firstRow += rowsOfLeaf;
    return { leaf, firstRow: firstRow - rowsOfLeaf, numRows: rowsOfLeaf };
  });
}
