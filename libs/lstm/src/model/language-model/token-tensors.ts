import { tensor1d, tensor2d } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { stateShape } from "../../layout/index.js";
import { evenLeaves } from "../batch-leaves.js";
import { float32Of, int32Of } from "../tensor-values.js";
import type { LanguageModel } from "./language-model.js";
import type { TokenBatch } from "./token-batch.js";

/** A segment of tokens as tfjs tensors; they stay the caller's. */
export interface TokenTensors {
  /** [T,B] int32, time-major. */
  readonly inputs: Tensor;
  /** [T,B] int32: what follows each of the inputs. */
  readonly targets: Tensor;
  /** [T,B] float32: 1 where a position counts, 0 where it is masked; 1 where left out. */
  readonly weights?: Tensor | undefined;
}

/**
 * A segment out of tfjs tensors; its rows are spread over the micro-shards as evenly as can be.
 *
 * @param microShards a power of two; 1 by default.
 * @throws LstmError `invalidBatch` for a tensor of another type or shape, for another number of micro-shards
 */
export function tokenBatch(tensors: TokenTensors, microShards = 1): TokenBatch {
  const inputs = int32Of({ name: "inputs", tensor: tensors.inputs }, ["time", "rows"]);
  const [numSteps, numRows] = tensors.inputs.shape as [number, number];
  const { targets, weights } = tensors;
  return {
    numSteps,
    numRows,
    inputs,
    targets: int32Of({ name: "targets", tensor: targets }, [numSteps, numRows]),
    weights:
      weights === undefined
        ? new Float32Array(inputs.length).fill(1)
        : float32Of({ name: "weights", tensor: weights }, [numSteps, numRows]),
    leaves: evenLeaves(numRows, microShards),
  };
}

/**
 * One time step as tfjs tensors, which are the caller's to dispose.
 *
 * @param tokens [B] int32
 * @param state [S·B] float32, S values a row (`stateShape`), as an earlier step returned it; zeros, as at
 *   a text's beginning, where left out.
 * @returns logits [B,V] of the next token, and the state [S·B] after this one.
 * @throws LstmError as `LanguageModel.predictNext`; `invalidBatch` for a tensor of another type or shape
 */
export function predictNextTensor(
  model: LanguageModel,
  tokens: Tensor,
  state?: Tensor,
): { readonly logits: Tensor2D; readonly state: Tensor1D } {
  const values = int32Of({ name: "tokens", tensor: tokens }, ["rows"]);
  const numRows = values.length;
  const stateSize = numRows * stateShape(model.spec).valuesPerRow;
  const before =
    state === undefined
      ? new Float32Array(stateSize)
      : float32Of({ name: "state values", tensor: state }, [stateSize]);
  const next = model.predictNext(values, before);
  return {
    logits: tensor2d(next.logits, [numRows, model.spec.vocabularySize]),
    state: tensor1d(next.state),
  };
}
