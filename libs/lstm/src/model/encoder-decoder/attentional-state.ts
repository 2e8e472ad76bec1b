import { add, concat, mul, reshape, slice, sub, tanh } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { attention, linear } from "../layers/index.js";
import type { AttentionMemory } from "../layers/index.js";
import { asOneStep } from "../pass/index.js";
import type { PackedRow, Pass } from "../pass/index.js";

export interface AttentionalRun {
  /** [N,R]: what the head reads. */
  readonly outputs: Tensor2D;
  /** @param gradient [N,R], with respect to the outputs. */
  readonly backward: (gradient: Tensor2D) => {
    /** [N,R] */
    readonly hidden: Tensor2D;
    /** [M,C]; undefined without attention. */
    readonly memory: Tensor2D | undefined;
  };
}

/**
 * The attentional state tanh(W·[context; hidden] + b) (Luong et al., 2015, eq. 5). It is not fed back
 * into the decoder, so that all steps of a target are computed at once.
 *
 * @param pass over the N positions of the hidden states.
 * @param hidden [N,R]: the decoder's outputs.
 * @param memory undefined without attention; then the head reads the hidden states themselves.
 */
export function attentionalState(
  pass: Pass,
  hidden: Tensor2D,
  rows: readonly PackedRow[],
  memory: AttentionMemory | undefined,
): AttentionalRun {
  if (memory === undefined) {
    return {
      outputs: hidden,
      backward: (gradient) => ({ hidden: gradient, memory: undefined }),
    };
  }
  const attended = attention(pass, memory, { values: hidden, rows });
  const joined: Tensor2D = concat([attended.contexts, hidden], 1);
  const combined = linear(pass, asOneStep(joined), "attention.combine");
  const outputs = asPositions(tanh(combined.outputs));
  const contextSize = attended.contexts.shape[1];
  return {
    outputs,
    backward(gradient) {
      const slopes: Tensor2D = sub(1, mul(outputs, outputs));
      const ofJoined = asPositions(combined.backward(asOneStep(mul(gradient, slopes))));
      const [numPositions, size] = ofJoined.shape;
      const ofContexts: Tensor2D = slice(ofJoined, [0, 0], [numPositions, contextSize]);
      const ofHidden: Tensor2D = slice(
        ofJoined,
        [0, contextSize],
        [numPositions, size - contextSize],
      );
      const gradients = attended.backward(ofContexts);
      return { hidden: add(ofHidden, gradients.queries), memory: gradients.memory };
    },
  };
}

/** [1,N,C] → [N,C] */
function asPositions(sequence: Tensor3D): Tensor2D {
  return reshape(sequence, [sequence.shape[1], sequence.shape[2]]);
}
