import { tensor } from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

import { createLoss } from "../../losses/index.js";
import { LstmError } from "../../lstm-error.js";
import { evenLeaves } from "../batch-leaves.js";
import { float32Of, int32Of, numbersOf } from "../tensor-values.js";
import type { SequenceBatch } from "./sequence-batch.js";
import type { SequenceModel } from "./sequence-model.js";

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
 * @throws LstmError `invalidBatch` for inputs that have no time and rows, for a tensor of another type,
 *   for lengths of another shape, for another number of micro-shards
 */
export function sequenceBatch(tensors: SequenceTensors, microShards = 1): SequenceBatch {
  const { inputs, targets, lengths, targetLengths, weights } = tensors;
  const [numSteps, numRows] = timeAndRows(inputs);
  return {
    numSteps,
    numRows,
    inputs: numbersOf({ name: "inputs", tensor: inputs }),
    targets: numbersOf({ name: "targets", tensor: targets }),
    lengths: lengthsOf("lengths", lengths, numRows),
    targetLengths: lengthsOf("targetLengths", targetLengths, numRows),
    weights: weights && float32Of({ name: "weights", tensor: weights }, weights.shape),
    leaves: evenLeaves(numRows, microShards),
  };
}

/**
 * The head's outputs as a tfjs tensor, which is the caller's to dispose.
 *
 * @param inputs [T,B,I] float32 values, or [T,B] int32 tokens.
 * @param lengths [B] int32
 * @returns [T,B,O] of every step, zeros in the padding; [B,O] of the last one.
 * @throws LstmError as `SequenceModel.predict`
 */
export function predictTensor(model: SequenceModel, inputs: Tensor, lengths?: Tensor): Tensor {
  const [numSteps, numRows] = timeAndRows(inputs);
  const values = model.predict({
    numSteps,
    numRows,
    inputs: numbersOf({ name: "inputs", tensor: inputs }),
    lengths: lengthsOf("lengths", lengths, numRows),
  });
  const outer = model.spec.output === "everyStep" ? [numSteps, numRows] : [numRows];
  const { outputSize } = createLoss(model.spec.loss, { numTargets: model.spec.numTargets });
  return tensor(values, [...outer, outputSize]);
}

function timeAndRows(inputs: Tensor): readonly [numSteps: number, numRows: number] {
  if (inputs.rank === 2 || inputs.rank === 3) return inputs.shape as [number, number];
  throw new LstmError(
    "invalidBatch",
    `inputs have shape [${inputs.shape.join(", ")}], expected [time, rows, values] or [time, rows]`,
  );
}

function lengthsOf(
  name: string,
  lengths: Tensor | undefined,
  numRows: number,
): Int32Array | undefined {
  return lengths && int32Of({ name, tensor: lengths }, [numRows]);
}
