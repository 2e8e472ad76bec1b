import type { Vocabulary } from "../vocabulary/index.js";

/** The parts of a data set in the order of the text. */
export const SPLIT_NAMES = ["train", "validation", "test"] as const;

export type SplitName = (typeof SPLIT_NAMES)[number];

/** A text as token ids. Immutable by agreement: the arrays are shared, never written. */
export interface TextDataset {
  readonly kind: "text";
  /** The symbols of the training part; the other parts may hold unknown ones. */
  readonly vocabulary: Vocabulary;
  readonly splits: Readonly<Record<SplitName, Uint16Array>>;
  /** SHA-256 (hex) of the encoded data set. */
  readonly digest: string;
}
