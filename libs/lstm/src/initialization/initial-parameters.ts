import { parameterLayout, tensorView } from "../layout/index.js";
import { fillUniform } from "../random/index.js";
import type { RandomKey } from "../random/index.js";
import type { ModelSpec } from "../spec/index.js";

/**
 * The initial parameters of a model: a pure function of the spec and the seed.
 *
 * - Kernels of the layers and the head: uniform within ±1/√H, as PyTorch's LSTM (and its Linear of H
 *   inputs). The outputs of the gates then start in the range where sigmoid and tanh are steep, for
 *   any H.
 * - Embedding: uniform within ±√3, hence of variance 1 like the N(0, 1) of PyTorch's Embedding. Only
 *   products and sums are needed, so that the bits are the same wherever this is computed; the
 *   logarithm and cosine of normal deviates differ between mathematical libraries.
 * - Biases: 0, but the forget gates' start from the spec's `forgetBias`. A bias of 1 keeps them open
 *   at first, so that gradients reach back (Gers et al., 2000; Jozefowicz et al., 2015).
 *
 * @param seed a whole number from 0 to 2³² − 1
 * @returns [parameterLayout(spec).size]
 * @throws {LstmError} `invalidRandomKey` for another seed
 */
export function initialParameters(spec: ModelSpec, seed: number): Float32Array {
  const layout = parameterLayout(spec);
  const parameters = new Float32Array(layout.size);
  const fill = (
    name: string,
    purpose: RandomKey["purpose"],
    layer: number,
    bound: number,
  ): void => {
    const key = { seed, step: 0, purpose, layer };
    fillSymmetric(key, bound, tensorView(parameters, layout, name));
  };
  const { hiddenSize, forgetBias } = spec;
  const kernelBound = 1 / Math.sqrt(hiddenSize);
  let further = 1 << 20;
  for (const { name } of layout.tensors) {
    const last = name.slice(name.lastIndexOf(".") + 1);
    const layer = Number(/layers\.(\d+)\.kernel$/.exec(name)?.[1] ?? further++);
    if (name === "embedding.table") fill(name, "embeddingInitialization", 0, Math.sqrt(3));
    else if (name === "head.kernel") fill(name, "headInitialization", 0, kernelBound);
    else if (/gain$/i.test(last)) tensorView(parameters, layout, name).fill(1);
    else if (!/bias$/i.test(last)) fill(name, "kernelInitialization", layer, kernelBound);
    else if (
      last === "bias" &&
      spec.cell === "lstm" &&
      name.includes("layers.") &&
      !name.includes(".norm.")
    ) {
      const bias = tensorView(parameters, layout, name);
      if (spec.coupledGates) bias.fill(-forgetBias, 0, hiddenSize);
      else bias.fill(forgetBias, hiddenSize, 2 * hiddenSize);
    }
  }
  return parameters;
}

/** Uniform from −bound to below bound, rounded to float32 once. */
function fillSymmetric(key: RandomKey, bound: number, out: Float32Array): void {
  fillUniform(key, out);
  for (const [i, value] of out.entries()) out[i] = (2 * value - 1) * bound;
}
