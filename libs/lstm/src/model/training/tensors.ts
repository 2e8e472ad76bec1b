import { tensor } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

import { LstmError } from "../../lstm-error.js";
import type { BatchLeaf } from "../batch-leaves.js";
import type { SequenceBatch } from "../sequence-batch.js";

/** A batch of sequences as tfjs tensors; they stay the caller's. */
export interface SequenceTensors {
  /** [T,B,I] float32 values, or [T,B] int32 tokens. */
  readonly inputs: Tensor;
  /** As `SequenceBatch.targets`: float32 values or int32 classes and labels. */
  readonly targets: Tensor;
  /** [B] int32 */
  readonly lengths?: Tensor | undefined;
  /** [B] int32, for CTC. */
  readonly targetLengths?: Tensor | undefined;
  /** [T,B] or [B] float32 */
  readonly weights?: Tensor | undefined;
}

/**
 * A batch out of tfjs tensors; its rows are spread over the micro-shards as evenly as can be.
 *
 * @param microShards a power of two; 1 by default.
 * @throws LstmError `invalidBatch` for inputs that have no time and rows
 */
export function sequenceBatch(tensors: SequenceTensors, microShards = 1): SequenceBatch {
  const { inputs, targets, lengths, targetLengths, weights } = tensors;
  if (inputs.rank !== 2 && inputs.rank !== 3) {
    throw new LstmError(
      "invalidBatch",
      `inputs have shape [${inputs.shape.join(", ")}], expected [time, rows, values] or [time, rows]`,
    );
  }
  const [numSteps, numRows] = inputs.shape as [number, number];
  return {
    numSteps,
    numRows,
    inputs: valuesOf(inputs),
    targets: valuesOf(targets),
    lengths: lengths?.dataSync<"int32">(),
    targetLengths: targetLengths?.dataSync<"int32">(),
    weights: weights?.dataSync<"float32">(),
    leaves: evenLeaves(numRows, microShards),
  };
}

/**
 * What a model predicts, as a tfjs tensor, which is the caller's to dispose.
 *
 * @param values of `predict`
 * @param shape such as [numSteps, numRows, -1]; one size may be −1, which follows from the others.
 */
export function tensorOf(values: Float32Array, shape: readonly number[]): Tensor {
  const known = shape.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  return tensor(
    values,
    shape.map((size) => (size === -1 ? values.length / known : size)),
  );
}

function valuesOf(values: Tensor): Float32Array | Int32Array {
  return values.dtype === "int32" ? values.dataSync<"int32">() : values.dataSync<"float32">();
}

function evenLeaves(numRows: number, microShards: number): BatchLeaf[] {
  const first = (leaf: number): number => Math.floor((leaf * numRows) / microShards);
  return Array.from({ length: microShards }, (_, leaf) => ({
    leaf,
    firstRow: first(leaf),
    numRows: first(leaf + 1) - first(leaf),
  }));
}
