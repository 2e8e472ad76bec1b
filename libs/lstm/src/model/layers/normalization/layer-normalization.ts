import { mul } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

import { layerNorm, layerNormGradient } from "@ostinato/kernels/tensor";

import type { BatchLeaf } from "../../batch-leaves.js";
import {
  asRows,
  asSequence,
  columnSums,
  emitLeafGradients,
  positionsOf,
} from "../../pass/index.js";
import type { Pass } from "../../pass/index.js";
import type { Forwarded } from "../forwarded.js";

/** Added to a variance before its root: PyTorch's default. */
export const LAYER_NORM_EPSILON = 1e-5;

/**
 * Layer normalization (Ba et al., 2016) of each position over its units, then `gain` and `bias`.
 *
 * @param prefix of the parameters' names, such as `layers.0.norm`.
 */
export function layerNormalization(pass: Pass, inputs: Tensor3D, prefix: string): Forwarded {
  const gain = pass.parameters.vector(`${prefix}.gain`);
  const bias = pass.parameters.vector(`${prefix}.bias`);
  const { outputs, normalized, inverseDeviations } = layerNorm({
    rows: asRows(inputs),
    gain,
    bias,
    epsilon: LAYER_NORM_EPSILON,
  });
  return {
    outputs: asSequence(outputs, pass.numRows),
    backward(gradient) {
      const perUnit: Tensor3D = mul(gradient, asSequence(normalized, pass.numRows));
      emitLeafGradients(pass, [`${prefix}.gain`, `${prefix}.bias`], (leaf: BatchLeaf) => [
        columnSums(positionsOf(perUnit, leaf)),
        columnSums(positionsOf(gradient, leaf)),
      ]);
      const rows = layerNormGradient({
        gradient: asRows(gradient),
        normalized,
        inverseDeviations,
        gain,
      });
      return asSequence(rows, pass.numRows);
    },
  };
}
