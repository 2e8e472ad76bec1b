import type { SplitName } from "../dataset/index.js";
import type { SampleRange } from "../samples/index.js";

/** What a time step of a sequence is. */
export interface SequenceInputsKind {
  /** `values`: numbers; `tokens`: one id. */
  readonly kind: "values" | "tokens";
  /** I, values of a step; V, ids to choose from. */
  readonly size: number;
}

/** What a sequence is compared with. */
export interface SequenceTargetsKind {
  /** Numbers, one class to choose, or one sequence of labels for the whole sequence. */
  readonly kind: "values" | "classes" | "labelSequences";
  /** Targets of each step, or of the sequence as a whole; label sequences are of neither: `lastStep`. */
  readonly of: "everyStep" | "lastStep";
  /** K, values of a target; C, classes or labels to choose from. */
  readonly size: number;
  /** For classes: what is none, its position counting for nothing; else null. */
  readonly ignored: number | null;
}

/** All sequences one after the other; L is the sum of their lengths. Never written to. */
export interface SequenceSamples {
  /** [N]: steps of each. */
  readonly lengths: Uint32Array;
  /** [N]: labels of each, for label sequences; else empty. */
  readonly targetLengths: Uint32Array;
  /** [N], above 0. */
  readonly weights: Float32Array;
  /** [L, I] values or [L] ids. */
  readonly inputs: Float32Array | Int32Array;
  /** [L, K] or [N, K] values, [L] or [N] classes, or all labels. */
  readonly targets: Float32Array | Int32Array;
}

/** Sequences with their targets, in the order of their files. */
export interface SequenceDataset {
  readonly kind: "sequences";
  readonly inputs: SequenceInputsKind;
  readonly targets: SequenceTargetsKind;
  readonly samples: SequenceSamples;
  readonly splits: Readonly<Record<SplitName, SampleRange>>;
  /** Steps of the longest sequence. */
  readonly longest: number;
  /** SHA-256 (hex) of the encoded data set. */
  readonly digest: string;
}

/** How many values a sequence has among the targets, where all of a kind have as many a step. */
export function targetEntries(
  { kind, of, size }: SequenceTargetsKind,
  length: number,
  targetLength: number,
): number {
  if (kind === "labelSequences") return targetLength;
  return (of === "everyStep" ? length : 1) * (kind === "values" ? size : 1);
}
