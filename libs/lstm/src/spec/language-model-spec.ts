import { z } from "zod";

import { FLAG, fraction, FRACTION, key, wholeNumber, wholeNumbers } from "../keys/index.js";
import {
  brokenRecurrentRules,
  RECURRENT_KEYS,
  REGULARIZATION_KEYS,
  size,
  SIZE,
} from "./recurrent-keys.js";
import type { BrokenRule } from "./recurrent-keys.js";

/** Token ids travel and are gathered as 32-bit integers. */
const MAX_VOCABULARY = 2 ** 31 - 1;
export const VOCABULARY = wholeNumbers(1, MAX_VOCABULARY);
export const vocabulary = (): z.ZodInt => wholeNumber(1, MAX_VOCABULARY);
export const TOKEN_ID = wholeNumbers(0, MAX_VOCABULARY - 1);
export const tokenId = (): z.ZodInt => wholeNumber(0, MAX_VOCABULARY - 1);

/** Keys of a language model that a person sets; the vocabulary's size comes from the data. */
export const LANGUAGE_MODEL_KEYS = {
  kind: key("'languageModel'", z.literal("languageModel")),
  /** E */
  embeddingSize: key(SIZE, size().default(64)),
  /** The head multiplies with the embedding's table (Press and Wolf, 2017; Inan et al., 2017). */
  tiedEmbedding: key(FLAG, z.boolean().default(false)),
  ...RECURRENT_KEYS,
  ...REGULARIZATION_KEYS,
  /** Share of the target's probability that training spreads over all symbols (Szegedy et al., 2016). */
  labelSmoothing: key(FRACTION, fraction().default(0)),
} as const;

const languageModel = z.strictObject({
  ...LANGUAGE_MODEL_KEYS,
  vocabularySize: key(VOCABULARY, vocabulary()),
});

/** Embedding → recurrent layers → linear head: the distribution of the next token after each token. */
export type LanguageModelSpec = Readonly<z.output<typeof languageModel>>;

/** The first rule between keys that a language model breaks, but for those of its vocabulary. */
export function brokenLanguageModelRule(
  spec: Omit<LanguageModelSpec, "vocabularySize">,
): BrokenRule | undefined {
  const [broken] = brokenRecurrentRules(spec);
  if (broken !== undefined) return broken;
  const outputSize = spec.projectionSize ?? spec.hiddenSize;
  if (spec.tiedEmbedding && spec.embeddingSize !== outputSize) {
    const width = spec.projectionSize === null ? "hiddenSize" : "projectionSize";
    return {
      path: ["tiedEmbedding"],
      message: `it needs an embeddingSize (${spec.embeddingSize}) equal to ${width} (${outputSize})`,
    };
  }
  return undefined;
}

export const languageModelSchema = languageModel
  .superRefine((spec, context) => {
    const broken = brokenLanguageModelRule(spec);
    if (broken !== undefined)
      context.addIssue({ code: "custom", ...broken, path: [...broken.path] });
  })
  .readonly();
