import { createLoss } from "../losses/index.js";
import { LstmError } from "../lstm-error.js";
import type { ModelSpec } from "../spec/index.js";
import { attentionTensors, decoderStack, encoderStack } from "./encoder-decoder-layout.js";
import { linearTensors, stackOutputSize, stackTensors } from "./recurrent-layout.js";
import type { NamedShape } from "./recurrent-layout.js";

export interface TensorLayout {
  /** Such as `layers.0.kernel`. */
  readonly name: string;
  /** Row-major. */
  readonly shape: readonly number[];
  /** Index of the first value in the flat buffer. */
  readonly offset: number;
  /** Number of values. */
  readonly size: number;
}

/** The tensors of a model one after the other, without gaps, in the order of the forward pass. */
export interface ParameterLayout {
  readonly tensors: readonly TensorLayout[];
  /** Values of the flat buffer. */
  readonly size: number;
}

/** What a frame's position and a tfjs shape can count; also 8 GiB of float32. */
const MAX_PARAMETERS = 2 ** 31 - 1;

/**
 * The layout of a model's parameters and gradients.
 *
 * A language model: `embedding.table` [V,E]; the tensors of the recurrent stack (see `stackTensors`);
 * `head.kernel` [R,V], unless the embedding is tied, and `head.bias` [V]. A sequence model: the same,
 * with a table for tokens alone, and a head as wide as its loss asks for. An encoder–decoder: table and
 * stack of each side, `encoder.…` and `decoder.…`; those of `attentionTensors`; the head.
 *
 * @throws {LstmError} `invalidSpec` for more parameters than can be addressed
 */
export function parameterLayout(spec: ModelSpec): ParameterLayout {
  const tensors: TensorLayout[] = [];
  let size = 0;
  for (const { name, shape } of tensorsOf(spec)) {
    const tensorSize = shape.reduce((product, extent) => product * extent, 1);
    tensors.push({ name, shape, offset: size, size: tensorSize });
    size += tensorSize;
  }
  if (size > MAX_PARAMETERS) {
    throw new LstmError(
      "invalidSpec",
      `the model has ${size} parameters; it may have up to ${MAX_PARAMETERS}`,
    );
  }
  return { tensors, size };
}

function tensorsOf(spec: ModelSpec): NamedShape[] {
  switch (spec.kind) {
    case "languageModel": {
      const { vocabularySize, embeddingSize, tiedEmbedding } = spec;
      const head = linearTensors("head", stackOutputSize(spec, false), vocabularySize);
      return [
        { name: "embedding.table", shape: [vocabularySize, embeddingSize] },
        ...stackTensors(spec, { inputSize: embeddingSize, bidirectional: false, prefix: "" }),
        ...(tiedEmbedding ? head.slice(1) : head),
      ];
    }
    case "sequenceModel": {
      const { input, bidirectional, loss, numTargets } = spec;
      const isTokens = input.kind === "tokens";
      const inputSize = isTokens ? input.embeddingSize : input.size;
      const { outputSize } = createLoss(loss, { numTargets });
      return [
        ...(isTokens
          ? [{ name: "embedding.table", shape: [input.vocabularySize, inputSize] }]
          : []),
        ...stackTensors(spec, { inputSize, bidirectional, prefix: "" }),
        ...linearTensors("head", stackOutputSize(spec, bidirectional), outputSize),
      ];
    }
    case "encoderDecoder": {
      const [encoder, decoder] = [encoderStack(spec), decoderStack(spec)];
      const { sourceVocabularySize, targetVocabularySize, embeddingSize, tiedEmbedding } = spec;
      const outputSize = stackOutputSize(decoder.spec, false);
      const head = linearTensors("head", outputSize, targetVocabularySize);
      return [
        { name: "encoder.embedding.table", shape: [sourceVocabularySize, embeddingSize] },
        ...stackTensors(encoder.spec, encoder.shape),
        { name: "decoder.embedding.table", shape: [targetVocabularySize, embeddingSize] },
        ...stackTensors(decoder.spec, decoder.shape),
        ...attentionTensors(spec),
        ...(tiedEmbedding ? head.slice(1) : head),
      ];
    }
    default:
      return spec satisfies never;
  }
}

/**
 * The values of one tensor within a flat buffer: a view, no copy.
 *
 * @param flat [layout.size]
 * @throws {RangeError} for a name that the layout lacks, or a buffer of another size
 */
export function tensorView(
  flat: Float32Array,
  layout: ParameterLayout,
  name: string,
): Float32Array {
  const tensor = layout.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) {
    const names = layout.tensors.map((candidate) => candidate.name).join(", ");
    throw new RangeError(`there is no tensor ${name}; the layout has ${names}`);
  }
  if (flat.length !== layout.size) {
    throw new RangeError(`the buffer has ${flat.length} values; the layout has ${layout.size}`);
  }
  return flat.subarray(tensor.offset, tensor.offset + tensor.size);
}
