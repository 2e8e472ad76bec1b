import type { EncoderDecoderSpec, RecurrentStackSpec } from "../spec/index.js";
import { linearTensors, stackOutputSize } from "./recurrent-layout.js";
import type { NamedShape, StackShape } from "./recurrent-layout.js";

/** The recurrent stack of one side of an encoder–decoder. */
export interface SideStack {
  readonly spec: RecurrentStackSpec;
  readonly shape: StackShape;
}

/** The stack that reads the source; with two directions each has H / 2 units. */
export function encoderStack(spec: EncoderDecoderSpec): SideStack {
  const { bidirectionalEncoder: bidirectional, embeddingSize: inputSize } = spec;
  return {
    spec: bidirectional ? { ...spec, hiddenSize: spec.hiddenSize / 2 } : spec,
    shape: { inputSize, bidirectional, prefix: "encoder." },
  };
}

/** The stack that writes the target. */
export function decoderStack(spec: EncoderDecoderSpec): SideStack {
  return {
    spec,
    shape: { inputSize: spec.embeddingSize, bidirectional: false, prefix: "decoder." },
  };
}

/**
 * The tensors of the attention, none without one. R is the size of a decoder output, S that of an
 * encoder output:
 *
 * - multiplicative: `attention.kernel` [R,S];
 * - additive: `attention.query` [R,R], `attention.memory` [S,R], `attention.score` [R];
 * - both: `attention.combine.kernel` [S+R,R], rows of the context, then of the decoder's output, and
 *   `attention.combine.bias` [R].
 */
export function attentionTensors(spec: EncoderDecoderSpec): NamedShape[] {
  const { spec: ofEncoder, shape } = encoderStack(spec);
  const memorySize = stackOutputSize(ofEncoder, shape.bidirectional);
  const querySize = stackOutputSize(spec, false);
  const combine = linearTensors("attention.combine", memorySize + querySize, querySize);
  switch (spec.attention) {
    case "none":
      return [];
    case "multiplicative":
      return [{ name: "attention.kernel", shape: [querySize, memorySize] }, ...combine];
    case "additive":
      return [
        { name: "attention.query", shape: [querySize, querySize] },
        { name: "attention.memory", shape: [memorySize, querySize] },
        { name: "attention.score", shape: [querySize] },
        ...combine,
      ];
    default:
      return spec.attention satisfies never;
  }
}
