import { tensor1d, transpose } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  embeddingGather,
  embeddingGradient,
  linearGradient,
  matMulBias,
} from "@ostinato/kernels/tensor";

import type { BatchLeaf } from "../../batch-leaves.js";
import { asRows, asSequence, positionsOf } from "../../pass/index.js";
import type { Pass } from "../../pass/index.js";
import { tokensOf } from "../embedding.js";
import type { Tokens } from "../embedding.js";

/** The rows of a layer's kernel that multiply its inputs: [I,G], and what names them. */
export interface InputKernel {
  readonly name: string;
  readonly values: Tensor2D;
  /** [G,I] */
  readonly transposed: Tensor2D;
}

/** What a recurrent layer reads: gives the inputs' share of the gates, and takes their gradient. */
export interface GateInputs {
  /** inputs × kernel + bias for all positions; [T,B,G]. */
  gates(kernel: InputKernel, bias: Tensor1D | undefined): Tensor3D;
  /**
   * The kernel's gradient over one leaf's positions; [I,G]. Asked for once a leaf, in their order.
   *
   * @param gradient [N,G], of the leaf's products.
   */
  kernelGradient(leaf: BatchLeaf, gradient: Tensor2D, kernel: InputKernel): Tensor2D;
  /**
   * Asked for after all leaves' kernel gradients.
   *
   * @param gradient [T,B,G], of the products.
   * @returns [T,B,I], or undefined if there is nothing below that reads it.
   */
  inputGradient(gradient: Tensor3D, kernel: InputKernel): Tensor3D | undefined;
}

/** @param inputs [T,B,I] */
export function sequenceInputs(inputs: Tensor3D): GateInputs {
  const numRows = inputs.shape[1];
  return {
    gates: (kernel, bias) => asSequence(matMulBias(asRows(inputs), kernel.values, bias), numRows),
    kernelGradient: (leaf, gradient) =>
      linearGradient(positionsOf(inputs, leaf), gradient).kernelGradient,
    inputGradient: (gradient, { transposed }) =>
      asSequence(matMulBias(asRows(gradient), transposed), numRows),
  };
}

/**
 * Embedded tokens of a vocabulary that is much smaller than a batch: a row looked up in table × kernel
 * + bias, [V,G], replaces the same product at every position.
 *
 * @param onTableGradient takes the table's gradient of each leaf.
 */
export function projectedInputs(
  pass: Pass,
  tableName: string,
  tokens: Tokens,
  onTableGradient: (perLeaf: readonly Float32Array[]) => void,
): GateInputs {
  const { parameters, leaves, numRows } = pass;
  const table = parameters.matrix(tableName);
  const vocabularySize = table.shape[0];
  const tableGradients: (Float32Array | undefined)[] = leaves.map(() => undefined);
  return {
    gates({ name, values }, bias) {
      const projected = parameters.derived(`${tableName} × ${name}`, () =>
        matMulBias(table, values, bias),
      );
      const ids = tensor1d(tokens.ids, "int32");
      return asSequence(embeddingGather(projected, ids), numRows);
    },
    kernelGradient(leaf, gradient, { transposed }) {
      // The projected table's gradient, and from it those of its two factors.
      const ids = tensor1d(tokensOf(tokens, leaf), "int32");
      const projected_VG = embeddingGradient(ids, gradient, vocabularySize);
      tableGradients[leaves.indexOf(leaf)] = matMulBias(
        projected_VG,
        transposed,
      ).dataSync<"float32">();
      const tableTransposed = parameters.derived(`transpose of ${tableName}`, () =>
        transpose(table),
      );
      return matMulBias(tableTransposed, projected_VG);
    },
    inputGradient() {
      onTableGradient(tableGradients.map((values) => values ?? new Float32Array(table.size)));
      return undefined;
    },
  };
}
