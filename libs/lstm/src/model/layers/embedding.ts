import { mul, tensor1d, tensor2d } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import {
  embeddingGather,
  embeddingGradient,
  embeddingGradients,
  valuesOfLeaf,
} from "@ostinato/kernels/tensor";

import { fillDropoutMask } from "../../random/index.js";
import type { BatchLeaf } from "../batch-leaves.js";
import { asSequence, leafGradients, nodeSums, perNode, positionsOf } from "../pass/index.js";
import type { Pass } from "../pass/index.js";
import type { Forwarded } from "./forwarded.js";

/** [T,B] token ids, row-major. */
export interface Tokens {
  readonly ids: Int32Array;
  readonly numSteps: number;
  readonly numRows: number;
}

/** One leaf's ids, in the order (time, row). */
function tokensOf({ ids, numSteps, numRows }: Tokens, leaf: BatchLeaf): Int32Array {
  return valuesOfLeaf(ids, numSteps, numRows, leaf);
}

export interface EmbeddingOptions {
  readonly tableName: string;
  /** Share of the rows dropped in training. */
  readonly dropout: number;
  /** Tells the mask of the dropout from that of another table. */
  readonly maskLayer: number;
  /**
   * Further gradients of the table, one a leaf, that are added to the embedding's own: those of a head
   * that multiplies with the same table.
   */
  readonly tiedGradients: () => readonly Float32Array[] | undefined;
}

/** Rows of `tableName` by token: [T,B,E]. Its inputs have no gradient. */
export function embedding(
  pass: Pass,
  tokens: Tokens,
  { tableName, dropout, maskLayer, tiedGradients }: EmbeddingOptions,
): Omit<Forwarded, "backward"> & { readonly backward: (gradient: Tensor3D) => void } {
  const table = pass.parameters.matrix(tableName);
  const rowMask = embeddingMask(pass, table, dropout, maskLayer);
  const used: Tensor2D = rowMask === undefined ? table : mul(table, rowMask);
  const ids = tensor1d(tokens.ids, "int32");
  return {
    outputs: asSequence(embeddingGather(used, ids), tokens.numRows),
    backward(gradient) {
      const tied = tiedGradients();
      if (tied === undefined && rowMask === undefined) {
        pass.progress.alive();
        const vocabularySize = table.shape[0];
        const sums = embeddingGradients({ ...pass, ids, gradient, vocabularySize });
        pass.onGradient(tableName, perNode(sums));
        return;
      }
      const [own] = leafGradients(pass, [tableName], (leaf) => {
        const ofLeaf = tensor1d(tokensOf(tokens, leaf), "int32");
        const rows = positionsOf(gradient, leaf);
        const dTable: Tensor2D = embeddingGradient(ofLeaf, rows, table.shape[0]);
        return [rowMask === undefined ? dTable : mul(dTable, rowMask)];
      });
      pass.onGradient(tableName, nodeSums(pass, addTied(own!, tied)));
    },
  };
}

/** Adds, leaf by leaf, in place: the arrays are new. */
export function addTied(
  perLeaf: readonly Float32Array[],
  tied: readonly Float32Array[] | undefined,
): readonly Float32Array[] {
  if (tied === undefined) return perLeaf;
  for (const [index, values] of perLeaf.entries()) {
    const other = tied[index]!;
    for (let k = 0; k < values.length; k++) values[k] = values[k]! + other[k]!;
  }
  return perLeaf;
}

/** [V,1]: 0 or 1 / (1 − rate) for each row of the table, one draw a step. */
function embeddingMask(
  { training }: Pass,
  table: Tensor2D,
  rate: number,
  layer: number,
): Tensor2D | undefined {
  if (training === undefined || rate === 0) return undefined;
  const mask = new Float32Array(table.shape[0]);
  fillDropoutMask({ ...training, purpose: "embeddingDropout", layer }, 1 - rate, mask);
  return tensor2d(mask, [mask.length, 1]);
}
