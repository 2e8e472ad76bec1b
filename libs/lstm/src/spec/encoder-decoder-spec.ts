import { z } from "zod";

import { FLAG, fraction, FRACTION, key, names } from "../keys/index.js";
import { TOKEN_ID, tokenId, vocabulary, VOCABULARY } from "./language-model-spec.js";
import {
  brokenRecurrentRules,
  RECURRENT_KEYS,
  REGULARIZATION_KEYS,
  size,
  SIZE,
} from "./recurrent-keys.js";
import type { BrokenRule } from "./recurrent-keys.js";

const ATTENTIONS = ["none", "additive", "multiplicative"] as const;

/** Keys of an encoder–decoder that a person sets; vocabularies and token ids come from the data. */
export const ENCODER_DECODER_KEYS = {
  kind: key("'encoderDecoder'", z.literal("encoderDecoder")),
  /** E, of both sides. */
  embeddingSize: key(SIZE, size().default(64)),
  /**
   * The encoder reads the source in both directions (Schuster and Paliwal, 1997), each with H / 2 units:
   * the two final states side by side are the decoder's initial state.
   */
  bidirectionalEncoder: key(FLAG, z.boolean().default(false)),
  /**
   * How a decoder step looks back at the encoder's outputs: `additive` with the score of Bahdanau et al.
   * (2015), `multiplicative` with the one that Luong et al. (2015) call general. Both read the decoder's
   * hidden state of the same step, and the attentional state is not fed back into the decoder.
   */
  attention: key(names(ATTENTIONS), z.enum(ATTENTIONS).default("additive")),
  /** The head multiplies with the decoder's table (Press and Wolf, 2017; Inan et al., 2017). */
  tiedEmbedding: key(FLAG, z.boolean().default(false)),
  ...RECURRENT_KEYS,
  ...REGULARIZATION_KEYS,
  /** Share of the target's probability that training spreads over all symbols (Szegedy et al., 2016). */
  labelSmoothing: key(FRACTION, fraction().default(0)),
} as const;

const encoderDecoder = z.strictObject({
  ...ENCODER_DECODER_KEYS,
  /** U */
  sourceVocabularySize: key(VOCABULARY, vocabulary()),
  /** V, start and end among them. */
  targetVocabularySize: key(VOCABULARY, vocabulary()),
  /** The target token that the decoder reads first. */
  startId: key(TOKEN_ID, tokenId()),
  /** The target token that ends a translation. */
  endId: key(TOKEN_ID, tokenId()),
});

/**
 * A source sequence is read by one recurrent stack, and a second one, which starts from the first one's
 * final state, writes the target sequence (Sutskever et al., 2014; Cho et al., 2014).
 */
export type EncoderDecoderSpec = Readonly<z.output<typeof encoderDecoder>>;

/** The keys that follow from the data. */
type DataKeys = "sourceVocabularySize" | "targetVocabularySize" | "startId" | "endId";

/** The first rule between keys that an encoder–decoder breaks, but for those of its vocabularies. */
export function brokenEncoderDecoderRule(
  spec: Omit<EncoderDecoderSpec, DataKeys>,
): BrokenRule | undefined {
  const [broken] = brokenRecurrentRules(spec);
  if (broken !== undefined) return broken;
  const { bidirectionalEncoder, hiddenSize, projectionSize, tiedEmbedding, embeddingSize } = spec;
  if (bidirectionalEncoder && hiddenSize % 2 !== 0) {
    return { path: ["hiddenSize"], message: "it must be even for a bidirectionalEncoder" };
  }
  if (bidirectionalEncoder && projectionSize !== null) {
    return { path: ["projectionSize"], message: "it must be null for a bidirectionalEncoder" };
  }
  const outputSize = projectionSize ?? hiddenSize;
  if (tiedEmbedding && embeddingSize !== outputSize) {
    const width = projectionSize === null ? "hiddenSize" : "projectionSize";
    return {
      path: ["tiedEmbedding"],
      message: `it needs an embeddingSize (${embeddingSize}) equal to ${width} (${outputSize})`,
    };
  }
  return undefined;
}

function brokenRule(spec: EncoderDecoderSpec): BrokenRule | undefined {
  for (const name of ["startId", "endId"] as const) {
    if (spec[name] < spec.targetVocabularySize) continue;
    const message = `it must be below targetVocabularySize (${spec.targetVocabularySize})`;
    return { path: [name], message };
  }
  return brokenEncoderDecoderRule(spec);
}

export const encoderDecoderSchema = encoderDecoder
  .superRefine((spec, context) => {
    const broken = brokenRule(spec);
    if (broken !== undefined)
      context.addIssue({ code: "custom", ...broken, path: [...broken.path] });
  })
  .readonly();
