/** Embedding → LSTM layers → linear head: the distribution of the next token after each token. */
export interface LanguageModelSpec {
  readonly kind: "languageModel";
  /** V; token ids are 0 to V − 1. */
  readonly vocabularySize: number;
  /** E */
  readonly embeddingSize: number;
  readonly cell: "lstm";
  /** H, of every layer. */
  readonly hiddenSize: number;
  readonly numLayers: number;
  /** Share of the values dropped between layers while training, from 0 to below 1. */
  readonly dropout: number;
  /** What the forget gate's bias starts from. */
  readonly forgetBias: number;
}

/** A model, discriminated by its `kind`. */
export type ModelSpec = LanguageModelSpec;
