import { tensor1d, tensor2d } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

import { evenLeaves } from "../batch-leaves.js";
import { float32Of, int32Of } from "../tensor-values.js";
import type { EncoderDecoder } from "./encoder-decoder.js";
import type { PairBatch, TokenSequences } from "./pair-batch.js";
import type { TranslateOptions } from "./translate.js";

/** Source sequences with their targets as tfjs tensors; they stay the caller's. */
export interface PairTensors {
  /** [T,B] int32, time-major; what lies in the padding is never read. */
  readonly source: Tensor;
  /** [B] int32: tokens of each row; T where left out. */
  readonly sourceLengths?: Tensor | undefined;
  /** [T',B] int32, without start and end. */
  readonly target: Tensor;
  /** [B] int32: tokens of each row; T' where left out. */
  readonly targetLengths?: Tensor | undefined;
  /** [B] float32, as `PairBatch.weights`; 1 where left out. */
  readonly weights?: Tensor | undefined;
}

/**
 * Pairs out of tfjs tensors; their rows are spread over the micro-shards as evenly as can be.
 *
 * @param microShards a power of two; 1 by default.
 * @throws LstmError `invalidBatch` for a tensor of another type or shape, for another number of micro-shards
 */
export function pairBatch(tensors: PairTensors, microShards = 1): PairBatch {
  const source = sequencesOf("source", tensors.source, tensors.sourceLengths);
  const numRows = source.lengths.length;
  const { weights } = tensors;
  return {
    source,
    target: sequencesOf("target", tensors.target, tensors.targetLengths, numRows),
    weights: weights && float32Of({ name: "weights", tensor: weights }, [numRows]),
    numRows,
    leaves: evenLeaves(numRows, microShards),
  };
}

/** The best target of each source. */
export interface TranslatedTensors {
  /** [T',B] int32, time-major, without start and end; in the padding the spec's `endId`. */
  readonly tokens: Tensor2D;
  /** [B] int32: tokens of each row. */
  readonly lengths: Tensor1D;
  /** [B] float32: natural logarithm of the probability of the tokens and the end after them. */
  readonly logProbabilities: Tensor1D;
}

/**
 * The best target that beam search finds of each source, as tfjs tensors, which are the caller's to dispose.
 *
 * @param source [T,B] int32, time-major.
 * @param options as of `translate`; `lengths` [B] int32: tokens of each source, T where left out.
 * @throws LstmError as `EncoderDecoder.translate`; `invalidBatch` for a tensor of another type or shape
 */
export function translateTensor(
  model: EncoderDecoder,
  source: Tensor,
  options: TranslateOptions & { readonly lengths?: Tensor | undefined },
): TranslatedTensors {
  const { lengths: sourceLengths, ...search } = options;
  const found = model.translate(sequencesOf("source", source, sourceLengths), search);
  // A row has one hypothesis at least: a target that is as long as may be is ended.
  const best = found.map(([first]) => first!);
  const numRows = best.length;
  const numSteps = Math.max(0, ...best.map(({ tokens }) => tokens.length));
  const tokens = Int32Array.from(
    { length: numSteps * numRows },
    (_, n) => best[n % numRows]!.tokens[Math.floor(n / numRows)] ?? model.spec.endId,
  );
  const lengths = best.map((row) => row.tokens.length);
  const logProbabilities = best.map(({ logProbability }) => logProbability);
  return {
    tokens: tensor2d(tokens, [numSteps, numRows], "int32"),
    lengths: tensor1d(lengths, "int32"),
    logProbabilities: tensor1d(logProbabilities, "float32"),
  };
}

/** @param rows how many there have to be; any number where left out. */
function sequencesOf(
  side: "source" | "target",
  tokens: Tensor,
  lengths: Tensor | undefined,
  rows: number | "rows" = "rows",
): TokenSequences {
  const values = int32Of({ name: `${side} tokens`, tensor: tokens }, ["time", rows]);
  const [numSteps, numRows] = tokens.shape as [number, number];
  return {
    numSteps,
    tokens: values,
    lengths:
      lengths === undefined
        ? new Int32Array(numRows).fill(numSteps)
        : int32Of({ name: `${side} lengths`, tensor: lengths }, [numRows]),
  };
}
