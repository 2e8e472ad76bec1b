import type { SplitName } from "../dataset/index.js";
import type { SampleRange } from "../samples/index.js";
import type { TokenVocabulary } from "../vocabulary/index.js";

/** The target token that a decoder reads first. */
export const START_ID = 1;

/** The target token that ends a target. */
export const END_ID = 2;

/** What each side's ids begin from: the unknown token, on the target's side start and end too, come before. */
export const FIRST_IDS = { source: 1, target: 3 } as const;

/** The two sides of a pair. */
export const SIDES = ["source", "target"] as const;

export type Side = (typeof SIDES)[number];

/** One side of all pairs, one after the other. Never written to. */
export interface SideSamples {
  /** [N]: tokens of each. */
  readonly lengths: Uint32Array;
  /** All ids; a target's are without start and end. */
  readonly ids: Int32Array;
}

/** Vocabularies of both sides: the tokens of the training part. */
export type PairVocabularies = Readonly<Record<Side, TokenVocabulary>>;

/** Source sequences with their target sequences, in the order of their files. */
export interface PairDataset {
  readonly kind: "pairs";
  readonly vocabularies: PairVocabularies;
  /** Of one token or more each. */
  readonly source: SideSamples;
  /** May be empty. */
  readonly target: SideSamples;
  /** [N], above 0. */
  readonly weights: Float32Array;
  readonly splits: Readonly<Record<SplitName, SampleRange>>;
  /** SHA-256 (hex) of the encoded data set. */
  readonly digest: string;
}

/** [N]: where each one's ids begin. */
export function startsOf({ lengths }: SideSamples): Float64Array {
  const starts = new Float64Array(lengths.length);
  for (let n = 1; n < lengths.length; n++) starts[n] = starts[n - 1]! + lengths[n - 1]!;
  return starts;
}

/** Ids of both sides of one pair. */
export type PairIds = Readonly<Record<Side, Int32Array>>;

/** The ids of some pairs of a part, from its first on. */
export function firstPairs(
  { source, target, splits }: Omit<PairDataset, "kind" | "digest">,
  split: SplitName,
  count: number,
): readonly PairIds[] {
  const { first, count: ofSplit } = splits[split];
  const idsOf = (side: SideSamples): ((pair: number) => Int32Array) => {
    const starts = startsOf(side);
    return (pair) => {
      const start = starts[pair]!;
      return side.ids.subarray(start, start + side.lengths[pair]!);
    };
  };
  const [sources, targets] = [idsOf(source), idsOf(target)];
  return Array.from({ length: Math.min(count, ofSplit) }, (_, n) => ({
    source: sources(first + n),
    target: targets(first + n),
  }));
}
