import { tensor1d, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradients,
  matMulBias,
  valuesOfLeaf,
} from "@ostinato/kernels/tensor";

import type { BatchLeaf } from "../batch-leaves.js";
import { asRows, inTensorScope, leafNodes, nodeSums, perNode, positionsOf } from "../pass/index.js";
import type { Pass } from "../pass/index.js";

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
    const pass = this.#pass;
    const { leaves, progress, parameters, onGradient } = pass;
    const isTied = tiedTableName !== undefined;
    progress.alive();
    const found = linearSoftmaxCrossEntropyGradients({
      leaves,
      // The tied table's own gradient is added to each leaf's by itself.
      nodes: isTied ? leafNodes(leaves.length) : pass.nodes,
      hidden,
      kernel: this.#kernel,
      bias: this.#bias,
      targets: tensor1d(targets.targets, "int32"),
      weights: tensor1d(targets.weights),
      kernelTransposed: () =>
        isTied ? parameters.matrix(tiedTableName) : this.#transposed(kernelName),
      labelSmoothing,
    });
    const biasGradients = perNode(found.biasGradients);
    if (!isTied) onGradient(kernelName, perNode(found.kernelGradients));
    onGradient(biasName, isTied ? nodeSums(pass, biasGradients) : biasGradients);
    const [numSteps, numRows] = hidden.shape;
    const losses = found.losses.dataSync<"float32">();
    const sumsOf = (leaf: BatchLeaf): LeafLoss => ({
      lossSum: sumOfValues(valuesOfLeaf(losses, numSteps, numRows, leaf)),
      lossWeight: sumOfValues(valuesOfLeaf(targets.weights, numSteps, numRows, leaf)),
    });
    return {
      losses: leaves.map((leaf) => (leaf.numRows === 0 ? NO_LOSS : sumsOf(leaf))),
      hiddenGradient: found.hiddenGradient,
      tableGradients: isTied ? tableGradients(found.kernelGradients) : undefined,
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

/** [leaves,H,V] → of each leaf [V,H]. */
function tableGradients(kernelGradients: Tensor3D): readonly Float32Array[] {
  return perNode(transpose(kernelGradients, [0, 2, 1]));
}

function sumOf(losses: Tensor1D, weights: Tensor1D): LeafLoss {
  return {
    lossSum: sumOfValues(losses.dataSync<"float32">()),
    lossWeight: sumOfValues(weights.dataSync<"float32">()),
  };
}

const sumOfValues = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
