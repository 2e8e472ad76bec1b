import { zerosLike } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";

import { decoderStack, encoderStack } from "../../layout/index.js";
import type { EncoderDecoderSpec } from "../../spec/index.js";
import { addGradient, attentionMemory, penaltyGradients } from "../layers/index.js";
import type { AttentionMemory } from "../layers/index.js";
import { PackedRows } from "../pass/index.js";
import type { Pass } from "../pass/index.js";
import { attentionalState } from "./attentional-state.js";
import { handedGradients, handedStates } from "./handed-states.js";
import type { ForcedTargets, TokenSequences } from "./pair-batch.js";
import { tokenSide } from "./token-side.js";
import type { StackStates, TokenSideRun } from "./token-side.js";

/** Beyond the encoder's numbers: 64 layers, each with a second direction at 2¹⁶ and on. */
export const DECODER_MASKS = 1 << 17;

export interface EncoderRun {
  readonly side: TokenSideRun;
  /** The decoder's initial states. */
  readonly handed: StackStates;
  /** Undefined without attention. */
  readonly memory: AttentionMemory | undefined;
  /**
   * @param initial with respect to the decoder's initial states.
   * @param memory [M,C], with respect to the memory's values.
   */
  readonly backward: (initial: StackStates, memory: Tensor2D | undefined) => void;
}

export function encode(pass: Pass, spec: EncoderDecoderSpec, source: TokenSequences): EncoderRun {
  const side = tokenSide(pass, encoderStack(spec), source, { firstMaskLayer: 0 });
  const packed = new PackedRows(source.lengths, source.numSteps);
  const { attention } = spec;
  const memory =
    attention === "none"
      ? undefined
      : attentionMemory(packed.pass(pass), attention, packed.pack(side.outputs), packed.rows);
  return {
    side,
    handed: handedStates(side.final),
    memory,
    backward(initial, ofMemory) {
      side.backward({
        outputs: ofMemory === undefined ? zerosLike(side.outputs) : packed.unpack(ofMemory),
        undropped: undefined,
        final: handedGradients(initial, spec.bidirectionalEncoder ? 2 : 1),
        tied: undefined,
      });
    },
  };
}

export interface EncoderDecoderRun {
  /** Over the N positions of the targets, in the order (row, time). */
  readonly positions: Pass;
  /** [N,R]: what the head reads. */
  readonly outputs: Tensor2D;
  /**
   * @param gradient [N,R], with respect to the outputs.
   * @param tied of the decoder's table through the head.
   */
  readonly backward: (gradient: Tensor2D, tied: readonly Float32Array[] | undefined) => void;
}

/** @param forced what the decoder reads, from the start on, and what its positions count. */
export function encoderDecoderRun(
  pass: Pass,
  spec: EncoderDecoderSpec,
  source: TokenSequences,
  { inputs, positionWeights: weights }: Pick<ForcedTargets, "inputs" | "positionWeights">,
): EncoderDecoderRun {
  const encoder = encode(pass, spec, source);
  const decoder = tokenSide(pass, decoderStack(spec), inputs, {
    firstMaskLayer: DECODER_MASKS,
    initial: encoder.handed,
  });
  const packed = new PackedRows(inputs.lengths, inputs.numSteps);
  const positions = packed.pass(pass);
  const hidden = packed.pack(decoder.outputs);
  const above = attentionalState(positions, hidden, packed.rows, encoder.memory);
  return {
    positions,
    outputs: above.outputs,
    backward(gradient, tied) {
      const penalties = penaltyGradients(decoder.undropped, decoder.outputs, { ...spec, weights });
      const below = above.backward(gradient);
      const ofHidden = packed.unpack(below.hidden);
      const initial = decoder.backward({
        outputs: addGradient(ofHidden, penalties.dropped),
        undropped: penalties.outputs,
        final: undefined,
        tied,
      });
      encoder.backward(initial, below.memory);
    },
  };
}
