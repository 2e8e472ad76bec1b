import { createHash } from "node:crypto";

import fc from "fast-check";

import { createTokenVocabulary, encodeDataset, FIRST_IDS } from "../../src/index.js";
import type { PairDataset, WrittenForm } from "../../src/index.js";

const LETTERS = ["a", "b", "\u{1F600}"] as const;

interface MadeSide {
  readonly form: WrittenForm;
  /** Tokens of each pair, by their place among the letters; the last letter may be unknown. */
  readonly rows: readonly (readonly number[])[];
}

function madeSide(count: number, minLength: number): fc.Arbitrary<MadeSide> {
  const row = fc.array(fc.nat(2), { minLength, maxLength: 4 });
  return fc.record({
    form: fc.constantFrom("characters" as const, "tokens" as const),
    rows: fc.array(row, { minLength: count, maxLength: count }),
  });
}

/** Any data set of 3 to 12 short pairs. The two last ones are the validation and the test part. */
export const madePairs: fc.Arbitrary<PairDataset> = fc
  .integer({ min: 3, max: 12 })
  .chain((count) =>
    fc.record({
      source: madeSide(count, 1),
      target: madeSide(count, 0),
      weights: fc.array(fc.float({ min: 2 ** -10, max: 8, noNaN: true }), {
        minLength: count,
        maxLength: count,
      }),
    }),
  )
  .map(({ source, target, weights }) => {
    const numTrain = weights.length - 2;
    const sideOf = ({ form, rows }: MadeSide, firstId: number) => {
      const used = new Set(rows.slice(0, numTrain).flat());
      const tokens = LETTERS.filter((_, n) => used.has(n));
      const vocabulary = createTokenVocabulary({ form, tokens, firstId });
      const ids = rows.flat().map((n) => vocabulary.idOf(LETTERS[n]!));
      const lengths = Uint32Array.from(rows, ({ length }) => length);
      return { vocabulary, samples: { lengths, ids: Int32Array.from(ids) } };
    };
    const [ofSource, ofTarget] = [
      sideOf(source, FIRST_IDS.source),
      sideOf(target, FIRST_IDS.target),
    ];
    const content = {
      vocabularies: { source: ofSource.vocabulary, target: ofTarget.vocabulary },
      source: ofSource.samples,
      target: ofTarget.samples,
      weights: Float32Array.from(weights),
      splits: {
        train: { first: 0, count: numTrain },
        validation: { first: numTrain, count: 1 },
        test: { first: numTrain + 1, count: 1 },
      },
    };
    const dataset = { kind: "pairs", ...content, digest: "" } as const;
    const digest = createHash("sha256").update(encodeDataset(dataset)).digest("hex");
    return { ...dataset, digest };
  });
