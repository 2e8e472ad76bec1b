import { add, transpose } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import { linearGradient, matMulBias } from "@ostinato/kernels/tensor";

import { asOneStep, emitLeafGradients, positionsOf } from "../../pass/index.js";
import type { PackedRow, Pass } from "../../pass/index.js";

/** What queries look at. Letters: M positions of all rows, C values of each, K size of a key. */
export interface AttentionMemory {
  readonly kind: "additive" | "multiplicative";
  /** [M,C] */
  readonly values: Tensor2D;
  /** [M,K]: the values themselves, or for additive scores what `attention.memory` makes of them. */
  readonly keys: Tensor2D;
  readonly rows: readonly PackedRow[];
  /**
   * Hands the gradient of the memory's own parameters to the pass.
   *
   * @param values [M,C], with respect to the values, as far as contexts are made of them.
   * @param keys [M,K], with respect to the keys.
   * @returns [M,C], with respect to the values, of both.
   */
  readonly backward: (values: Tensor2D, keys: Tensor2D) => Tensor2D;
}

const NAME = "attention.memory";

/**
 * @param pass over the M positions.
 * @param values [M,C]
 */
export function attentionMemory(
  pass: Pass,
  kind: AttentionMemory["kind"],
  values: Tensor2D,
  rows: readonly PackedRow[],
): AttentionMemory {
  if (kind === "multiplicative") {
    return {
      kind,
      values,
      keys: values,
      rows,
      backward: (ofValues, ofKeys) => add(ofValues, ofKeys),
    };
  }
  const kernel = pass.parameters.matrix(NAME);
  return {
    kind,
    values,
    keys: matMulBias(values, kernel),
    rows,
    backward(ofValues, ofKeys) {
      emitLeafGradients(pass, [NAME], (leaf) => {
        const positions = positionsOf(asOneStep(values), leaf);
        return [linearGradient(positions, positionsOf(asOneStep(ofKeys), leaf)).kernelGradient];
      });
      const transposed = pass.parameters.derived(`transpose of ${NAME}`, (): Tensor2D =>
        transpose(kernel),
      );
      return add(ofValues, matMulBias(ofKeys, transposed));
    },
  };
}
