import { reshape, tensor1d, tile } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  embeddingGather,
  embeddingGradients,
  linearGradients,
  matMulBias,
} from "@ostinato/kernels/tensor";

import {
  asOneStep,
  asRows,
  asSequence,
  inTensorScope,
  leafNodes,
  perNode,
} from "../../pass/index.js";
import type { Pass } from "../../pass/index.js";
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
  /** [T,B,I]: what the kernel multiplies at each position; undefined where products are looked up. */
  readonly rows: Tensor3D | undefined;
  /** inputs × kernel + bias for all positions; [T,B,G]. */
  gates(kernel: InputKernel, bias: Tensor1D | undefined): Tensor3D;
  /**
   * The kernel's gradient, [I,G], of each node.
   *
   * @param gradient [T,B,G], of the products.
   */
  kernelGradients(gradient: Tensor3D, kernel: InputKernel): readonly Float32Array[];
  /**
   * Asked for after the kernel's gradients.
   *
   * @param gradient [T,B,G], of the products.
   * @returns [T,B,I], or undefined if there is nothing below that reads it.
   */
  inputGradient(gradient: Tensor3D, kernel: InputKernel): Tensor3D | undefined;
}

/** @param inputs [T,B,I] */
export function sequenceInputs(pass: Pass, inputs: Tensor3D): GateInputs {
  const numRows = inputs.shape[1];
  return {
    rows: inputs,
    gates: (kernel, bias) => asSequence(matMulBias(asRows(inputs), kernel.values, bias), numRows),
    kernelGradients: (gradient) =>
      perNode(linearGradients({ ...pass, rows: inputs, gradient }).kernelGradients),
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
  const { parameters, numRows, progress } = pass;
  const table = parameters.matrix(tableName);
  const vocabularySize = table.shape[0];
  let tableGradients: readonly Float32Array[] = [];
  return {
    rows: undefined,
    gates({ name, values }, bias) {
      const projected = parameters.derived(`${tableName} × ${name}`, () =>
        matMulBias(table, values, bias),
      );
      const ids = tensor1d(tokens.ids, "int32");
      return asSequence(embeddingGather(projected, ids), numRows);
    },
    kernelGradients(gradient, { transposed }) {
      progress.alive();
      const found = inTensorScope(() => {
        const { leaves } = pass;
        const ids = tensor1d(tokens.ids, "int32");
        const nodes = leafNodes(leaves.length);
        // The projected table's gradient of each leaf, and from it those of its two factors: its rows are
        // the positions of a leaf of one time step, the table's rows what they were multiplied with.
        const projected = embeddingGradients({ leaves, nodes, ids, gradient, vocabularySize });
        const numRows = leaves.length * vocabularySize;
        const projected_NG: Tensor2D = reshape(projected, [numRows, gradient.shape[2]]);
        const tables: Tensor2D = leaves.length === 1 ? table : tile(table, [leaves.length, 1]);
        const ofKernel = linearGradients({
          leaves: leaves.map((_, n) => ({ firstRow: n * vocabularySize, numRows: vocabularySize })),
          nodes: pass.nodes,
          rows: asOneStep(tables),
          gradient: asOneStep(projected_NG),
        });
        const ofTables = matMulBias(projected_NG, transposed);
        return {
          kernel: perNode(ofKernel.kernelGradients),
          tables: perNode(reshape(ofTables, [leaves.length, ...table.shape])),
        };
      });
      tableGradients = found.tables;
      return found.kernel;
    },
    inputGradient() {
      onTableGradient(tableGradients);
      return undefined;
    },
  };
}
