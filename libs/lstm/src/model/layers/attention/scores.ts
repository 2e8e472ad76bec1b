/**
 * Scores of every query against every key of one row, and the way back. Letters: T queries, S keys, K
 * size of a key.
 */
import { add, mul, reshape, sub, sum, tanh, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { matMulBias } from "@ostinato/kernels/tensor";

import { columnSums } from "../../pass/index.js";

/** With respect to queries [T,K] and keys [S,K]; for additive scores, to their vector [K] too. */
export type ScoreGradients = [queries: Tensor2D, keys: Tensor2D, vector?: Tensor1D];

export interface Scores {
  /** [T,K] and [S,K] → [T,S] */
  readonly forward: (queries: Tensor2D, keys: Tensor2D) => Tensor2D;
  /** @param gradient [T,S], with respect to the scores. */
  readonly backward: (queries: Tensor2D, keys: Tensor2D, gradient: Tensor2D) => ScoreGradients;
}

/** Products q·k (Luong et al., 2015, eq. 8: general, with q the query times the kernel). */
export const multiplicativeScores: Scores = {
  forward: (queries, keys) => matMulBias(queries, transpose(keys)),
  backward: (queries, keys, gradient) => [
    matMulBias(gradient, keys),
    matMulBias(transpose(gradient), queries),
  ],
};

/**
 * Products v·tanh(q + k) (Bahdanau et al., 2015, appendix A.1.2). The sums of all pairs, [T,S,K], are
 * made again in backward: held for every row they would be most of a step's memory.
 *
 * @param vector v, [K]
 */
export function additiveScores(vector: Tensor1D): Scores {
  const [size] = vector.shape;
  const activations = (queries: Tensor2D, keys: Tensor2D): Tensor3D =>
    tanh(add<Tensor3D>(reshape(queries, [queries.shape[0], 1, size]), keys));
  const pairs = (values: Tensor3D): Tensor2D => reshape(values, [-1, size]);
  return {
    forward: (queries, keys) =>
      reshape(matMulBias(pairs(activations(queries, keys)), reshape(vector, [size, 1])), [
        queries.shape[0],
        keys.shape[0],
      ]),
    backward(queries, keys, gradient) {
      const [numQueries, numKeys] = gradient.shape;
      const activated = activations(queries, keys);
      const column = reshape(gradient, [numQueries, numKeys, 1]);
      const slopes: Tensor3D = sub(1, mul(activated, activated));
      const ofSums: Tensor3D = mul(mul(slopes, vector), column);
      const ofKeys = columnSums(reshape(ofSums, [numQueries, numKeys * size]));
      const ofVector = matMulBias(reshape(gradient, [1, -1]), pairs(activated));
      return [sum(ofSums, 1), reshape(ofKeys, [numKeys, size]), reshape(ofVector, [size])];
    },
  };
}
