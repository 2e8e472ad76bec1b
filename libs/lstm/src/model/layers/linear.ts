import { transpose } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { linearGradients, matMulBias } from "@ostinato/kernels/tensor";

import { asRows, asSequence, perNode } from "../pass/index.js";
import type { Pass } from "../pass/index.js";
import type { Forwarded } from "./forwarded.js";

/**
 * inputs × kernel + bias at every position.
 *
 * @param inputs [T,B,I]
 * @param prefix of the parameters' names, such as `head`.
 */
export function linear(pass: Pass, inputs: Tensor3D, prefix: string): Forwarded {
  const { parameters, numRows } = pass;
  const names = [`${prefix}.kernel`, `${prefix}.bias`] as const;
  const kernel = parameters.matrix(names[0]);
  const bias = parameters.vector(names[1]);
  return {
    outputs: asSequence(matMulBias(asRows(inputs), kernel, bias), numRows),
    backward(gradient) {
      pass.progress.alive();
      const sums = linearGradients({ ...pass, rows: inputs, gradient });
      pass.onGradient(names[0], perNode(sums.kernelGradients));
      pass.onGradient(names[1], perNode(sums.biasGradients));
      const transposed = parameters.derived(`transpose of ${names[0]}`, (): Tensor2D =>
        transpose(kernel),
      );
      return asSequence(matMulBias(asRows(gradient), transposed), numRows);
    },
  };
}
