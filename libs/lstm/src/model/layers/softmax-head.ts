import { concat, tensor1d, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  matMulBias,
} from "@ostinato/kernels/tensor";

import type { BatchLeaf } from "../batch-leaves.js";
import { asRows, asSequence, inTensorScope, positionsOf } from "../pass/index.js";
import type { Pass } from "../pass/index.js";
import { valuesOfLeaf } from "./embedding.js";

/** Sums over one leaf's positions. */
export interface LeafLoss {
  /** Of weight × loss in nats, in float64, added in the order (time, row). */
  readonly lossSum: number;
  /** Of the weights. */
  readonly lossWeight: number;
}

/** [T,B] target classes and what each position counts. */
export interface ClassTargets {
  readonly targets: Int32Array;
  readonly weights: Float32Array;
}

export interface SoftmaxHeadOptions {
  readonly pass: Pass;
  /** [H,V], unless the head is tied to an embedding's table. */
  readonly kernelName: string;
  /** [V] */
  readonly biasName: string;
  /** An embedding's table [V,H] that the head multiplies with, transposed, instead of a kernel. */
  readonly tiedTableName?: string | undefined;
}

export interface SoftmaxHeadGradients {
  readonly losses: readonly LeafLoss[];
  /** [T,B,H] */
  readonly hiddenGradient: Tensor3D;
  /** Of the tied table, [V,H] a leaf; undefined without one. */
  readonly tableGradients: readonly Float32Array[] | undefined;
}

const NO_LOSS: LeafLoss = { lossSum: 0, lossWeight: 0 };

/** Linear map to classes with softmax cross-entropy, whose logits are never held at once. */
export class SoftmaxHead {
  readonly #pass: Pass;
  readonly #options: SoftmaxHeadOptions;
  /** [H,V] */
  readonly #kernel: Tensor2D;
  readonly #bias: Tensor1D;

  constructor(options: SoftmaxHeadOptions) {
    const { pass, kernelName, biasName, tiedTableName } = options;
    this.#pass = pass;
    this.#options = options;
    this.#bias = pass.parameters.vector(biasName);
    this.#kernel =
      tiedTableName === undefined
        ? pass.parameters.matrix(kernelName)
        : this.#transposed(tiedTableName);
  }

  /**
   * @param hidden [T,B,H]
   * @returns [T·B,V]
   */
  logits(hidden: Tensor3D): Tensor2D {
    return matMulBias(asRows(hidden), this.#kernel, this.#bias);
  }

  /** Without label smoothing, leaf by leaf. */
  losses(hidden: Tensor3D, targets: ClassTargets): readonly LeafLoss[] {
    return this.#pass.leaves.map((leaf) => {
      this.#pass.progress.alive();
      if (leaf.numRows === 0) return NO_LOSS;
      return inTensorScope(() => {
        const call = this.#lossInputs(hidden, targets, leaf);
        return sumOf(linearSoftmaxCrossEntropy(call), call.weights);
      });
    });
  }

  /** Losses and gradients; those of the parameters are handed to the pass, but for a tied table's. */
  gradients(hidden: Tensor3D, targets: ClassTargets, labelSmoothing: number): SoftmaxHeadGradients {
    const { kernelName, biasName, tiedTableName } = this.#options;
    const { leaves, progress, parameters, onGradient } = this.#pass;
    const kernelTransposed =
      tiedTableName === undefined ? this.#transposed(kernelName) : parameters.matrix(tiedTableName);
    const losses: LeafLoss[] = [];
    const kernelGradients: Float32Array[] = [];
    const biasGradients: Float32Array[] = [];
    const hiddenGradients: Tensor3D[] = [];
    for (const leaf of leaves) {
      progress.alive();
      if (leaf.numRows === 0) {
        losses.push(NO_LOSS);
        kernelGradients.push(new Float32Array(this.#kernel.size));
        biasGradients.push(new Float32Array(this.#bias.size));
        continue;
      }
      hiddenGradients.push(
        tidy(() => {
          const call = this.#lossInputs(hidden, targets, leaf);
          const gradients = linearSoftmaxCrossEntropyGradient({
            ...call,
            kernelTransposed,
            labelSmoothing,
          });
          const { kernelGradient } = gradients;
          const stored: Tensor2D =
            tiedTableName === undefined ? kernelGradient : transpose(kernelGradient);
          losses.push(sumOf(gradients.losses, call.weights));
          kernelGradients.push(stored.dataSync<"float32">());
          biasGradients.push(gradients.biasGradient.dataSync<"float32">());
          return asSequence(gradients.hiddenGradient, leaf.numRows);
        }),
      );
    }
    if (tiedTableName === undefined) onGradient(kernelName, kernelGradients);
    onGradient(biasName, biasGradients);
    return {
      losses,
      hiddenGradient: concat(hiddenGradients, 1),
      tableGradients: tiedTableName === undefined ? undefined : kernelGradients,
    };
  }

  #transposed(name: string): Tensor2D {
    const { parameters } = this.#pass;
    return parameters.derived(`transpose of ${name}`, () => transpose(parameters.matrix(name)));
  }

  #lossInputs(
    hidden: Tensor3D,
    { targets, weights }: ClassTargets,
    leaf: BatchLeaf,
  ): Parameters<typeof linearSoftmaxCrossEntropy>[0] {
    const [numSteps, numRows] = hidden.shape;
    return {
      hidden: positionsOf(hidden, leaf),
      kernel: this.#kernel,
      bias: this.#bias,
      targets: tensor1d(valuesOfLeaf(targets, numSteps, numRows, leaf), "int32"),
      weights: tensor1d(valuesOfLeaf(weights, numSteps, numRows, leaf)),
    };
  }
}

function sumOf(losses: Tensor1D, weights: Tensor1D): LeafLoss {
  let lossSum = 0;
  for (const loss of losses.dataSync<"float32">()) lossSum += loss;
  let lossWeight = 0;
  for (const weight of weights.dataSync<"float32">()) lossWeight += weight;
  return { lossSum, lossWeight };
}
