import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { DataError } from "../data-error.js";
import { firstPairs } from "./pair-dataset.js";
import { readPairFiles, readSourceLines } from "./pair-files.js";
import type { PairFiles, ReadPairFilesOptions } from "./pair-files.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-pairs-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function read(
  lines: readonly string[],
  options: Partial<ReadPairFilesOptions> = {},
): Promise<PairFiles> {
  await writeFile(join(folder, "a.jsonl"), lines.map((line) => `${line}\n`).join(""));
  const split = { validationFraction: 0.25, testFraction: 0.25 };
  return readPairFiles({ files: "a.jsonl", baseDirectory: folder, ...split, ...options });
}

describe("pairs of a file", () => {
  it("are ids by the vocabularies of the training part, the sides each on their own", async () => {
    const { dataset } = await read([
      '{"source": "ba", "target": ["two", "one"]}',
      '{"source": "b", "target": [], "weight": 0.5}',
      '{"source": "ca", "target": ["one", "three"]}',
      '{"source": "a", "target": ["two"]}',
    ]);
    const { source, target } = dataset.vocabularies;
    expect([source.form, source.tokens, source.size]).toEqual(["characters", ["a", "b"], 3]);
    // Unknown, start and end come before the tokens.
    expect([target.form, target.tokens, target.size]).toEqual(["tokens", ["one", "two"], 5]);
    expect(dataset.source).toEqual({
      lengths: Uint32Array.of(2, 1, 2, 1),
      ids: Int32Array.of(2, 1, 2, 0, 1, 1),
    });
    expect(dataset.target).toEqual({
      lengths: Uint32Array.of(2, 0, 2, 1),
      ids: Int32Array.of(4, 3, 3, 0, 4),
    });
    expect(dataset.weights).toEqual(Float32Array.of(1, 0.5, 1, 1));
    expect(dataset.splits).toEqual({
      train: { first: 0, count: 2 },
      validation: { first: 2, count: 1 },
      test: { first: 3, count: 1 },
    });
    expect(firstPairs(dataset, "validation", 5)).toEqual([
      { source: Int32Array.of(0, 1), target: Int32Array.of(3, 0) },
    ]);
    expect(firstPairs(dataset, "train", 1)).toEqual([
      { source: Int32Array.of(2, 1), target: Int32Array.of(4, 3) },
    ]);
  });

  it("have code points as characters", async () => {
    const { dataset } = await read(
      Array<string>(4).fill('{"source": "😀é", "target": "\\ud83d\\ude00"}'),
    );
    expect(dataset.vocabularies.source.tokens).toEqual(["é", "😀"]);
    expect(dataset.vocabularies.target.tokens).toEqual(["😀"]);
    expect([...dataset.source.lengths]).toEqual([2, 2, 2, 2]);
  });

  it("may have targets that are all empty", async () => {
    const { dataset } = await read(Array<string>(4).fill('{"source": ["a"], "target": []}'));
    expect(dataset.vocabularies.target.size).toBe(3);
    expect(dataset.target.ids).toHaveLength(0);
  });

  it("have another digest for another token, weight or part", async () => {
    const line = '{"source": "a", "target": "b"}';
    const lines = [line, line, line, line];
    const digests = await Promise.all([read(lines).then(({ dataset }) => dataset.digest)]);
    for (const changed of [
      [line, line, line, '{"source": "c", "target": "b"}'],
      [line, line, line, '{"source": "a", "target": "b", "weight": 2}'],
      [line, line, line, line, line],
      Array<string>(4).fill('{"source": "a", "target": "c"}'),
      Array<string>(4).fill('{"source": ["a"], "target": "b"}'),
    ]) {
      digests.push((await read(changed)).dataset.digest);
    }
    expect(new Set(digests).size).toBe(6);
    expect((await read(lines)).dataset.digest).toBe(digests[0]);
  });
});

describe("a line that is no pair", () => {
  const good = '{"source": "a", "target": "b"}';

  it.each([
    ["", "it is not JSON; write {"],
    ['"a"', 'it is "a"; it must be an object {"source"'],
    [
      '{"source": "a", "targets": "b"}',
      '"targets" is no key of a sample; its keys are source, target',
    ],
    ['{"target": "b"}', "source is missing; it must be a string of characters or a list of tokens"],
    ['{"source": "a"}', "target is missing; it must be a string"],
    ['{"source": "", "target": "b"}', 'source is ""; it must have at least one token'],
    ['{"source": [], "target": "b"}', "source is []; it must have at least one token"],
    ['{"source": 5, "target": "b"}', "source is 5; it must be"],
    ['{"source": ["a", 1], "target": "b"}', "source[1] is 1; a token is a string, not empty"],
    ['{"source": ["a", ""], "target": "b"}', 'source[1] is ""; a token is a string, not empty'],
    [
      '{"source": "a", "target": ["b"]}',
      "target is a list of tokens; it must be a string, as in the first pair",
    ],
    ['{"source": ["a"], "target": "b"}', "source is a list of tokens; it must be a string, as in"],
    ['{"source": "a", "target": "b", "weight": 0}', "weight is 0; it must be a number above 0"],
    ['{"source": "a", "target": "b", "weight": null}', "weight is null; it must be a number"],
    [
      '{"source": "a", "target": "NaN", "weight": NaN}',
      "weight is NaN; it must be a finite number",
    ],
  ])("is refused by its place: %s", async (line, words) => {
    const refusal = await read([good, good, line]).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DataError);
    expect(refusal).toMatchObject({ code: "invalidSample", details: { line: 3 } });
    expect((refusal as DataError).message).toContain(`${join(folder, "a.jsonl")}:3: ${words}`);
    expect((refusal as DataError).message).not.toContain("\n");
  });

  it("is refused by its place, however deep it is", async () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    await expect(read([good, `{"source": "a", "target": [${deep}]}`])).rejects.toMatchObject({
      code: "invalidSample",
      message: expect.stringContaining(":2: target[0] is a value too deep to be shown;"),
    });
  });

  it.each([
    [[], "the files hold no pair"],
    [[good, good, good], "3 pairs leave 0 for the validation part"],
  ])("or too few of them are: %j", async (lines, words) => {
    await expect(read(lines)).rejects.toMatchObject({
      code: "wrongNumberOfSamples",
      message: expect.stringContaining(words),
    });
  });
});

describe("sources alone", () => {
  it("are read from lines with or without targets", async () => {
    const file = join(folder, "s.jsonl");
    await writeFile(file, '{"source": "ab"}\n{"source": "c", "target": 7, "id": 1}\n');
    expect(await readSourceLines(file, { form: "characters" })).toEqual(["ab", "c"]);
    await expect(readSourceLines(file, { form: "tokens" })).rejects.toMatchObject({
      code: "invalidSample",
      message: `${file}:1: source is a string; it must be a list of tokens, as in the data that the model was trained on`,
    });
    await expect(readSourceLines(join(folder, "none"), { form: "tokens" })).rejects.toMatchObject({
      code: "unreadable",
    });
  });
});
