import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { DataError } from "../data-error.js";
import { readInputLines, readSequenceFiles } from "./sequence-files.js";
import type { ReadSequenceFilesOptions, SequenceFiles } from "./sequence-files.js";
import type { TargetsForm } from "./sequence-line.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-sequences-"));
});

afterEach(() => rm(folder, { recursive: true }));

const VALUES: TargetsForm = { kind: "values", of: "everyStep", range: null };
const LAST_VALUES: TargetsForm = { kind: "values", of: "lastStep", range: null };
const CLASS: TargetsForm = { kind: "classes", of: "lastStep", ignored: -100 };
const TAGS: TargetsForm = { kind: "classes", of: "everyStep", ignored: -100 };
const LABELS: TargetsForm = { kind: "labelSequences", blank: 0, allowShort: false };

async function read(
  lines: readonly string[],
  targets: TargetsForm,
  options: Partial<ReadSequenceFilesOptions> = {},
): Promise<SequenceFiles> {
  await writeFile(join(folder, "a.jsonl"), lines.map((line) => `${line}\n`).join(""));
  const split = { validationFraction: 0.25, testFraction: 0.25 };
  return readSequenceFiles({
    ...{ files: "a.jsonl", baseDirectory: folder, ...split, targets },
    ...options,
  });
}

const fourTimes = (line: string): string[] => [line, line, line, line];

describe("sequences of a file", () => {
  it("follow each other in typed arrays, in parts by the order of the file", async () => {
    const { dataset } = await read(
      [
        '{"inputs": [[1, 2], [3, 4]], "targets": [10, 20]}',
        '{"inputs": [[5, 6]], "targets": [[30]], "weight": 0.5}',
        '{"inputs": [[7, 8]], "targets": [40]}',
        '{"inputs": [[9, 10]], "targets": [50]}',
      ],
      VALUES,
    );
    expect(dataset.inputs).toEqual({ kind: "values", size: 2 });
    expect(dataset.targets).toEqual({ kind: "values", of: "everyStep", size: 1, ignored: null });
    expect(dataset.samples).toEqual({
      lengths: Uint32Array.of(2, 1, 1, 1),
      targetLengths: new Uint32Array(0),
      weights: Float32Array.of(1, 0.5, 1, 1),
      inputs: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
      targets: Float32Array.of(10, 20, 30, 40, 50),
    });
    expect(dataset.splits).toEqual({
      train: { first: 0, count: 2 },
      validation: { first: 2, count: 1 },
      test: { first: 3, count: 1 },
    });
    expect(dataset.longest).toBe(2);
  });

  it("are tokens where the inputs are ids; sizes come from the largest, or from the options", async () => {
    const lines = fourTimes('{"inputs": [4, 0, 2], "targets": 1}');
    const { dataset } = await read(lines, CLASS);
    expect(dataset.inputs).toEqual({ kind: "tokens", size: 5 });
    expect(dataset.targets).toEqual({ kind: "classes", of: "lastStep", size: 2, ignored: -100 });
    const { dataset: larger } = await read(lines, CLASS, { vocabularySize: 9, numClasses: 3 });
    expect([larger.inputs.size, larger.targets.size]).toEqual([9, 3]);
    expect(larger.digest).not.toBe(dataset.digest);
  });

  it("may have several values at their end, a class for each step, or labels", async () => {
    const last = await read(fourTimes('{"inputs": [[1], [2]], "targets": [3, 4]}'), LAST_VALUES);
    expect(last.dataset.targets).toEqual({
      kind: "values",
      of: "lastStep",
      size: 2,
      ignored: null,
    });
    const tags = await read(fourTimes('{"inputs": [[1], [2]], "targets": [-100, 4]}'), TAGS);
    expect(tags.dataset.targets).toEqual({
      kind: "classes",
      of: "everyStep",
      size: 5,
      ignored: -100,
    });
    const labels = await read(fourTimes('{"inputs": [1, 2, 1], "targets": [3, 3]}'), LABELS);
    expect(labels.dataset.targets).toEqual({
      kind: "labelSequences",
      of: "lastStep",
      size: 4,
      ignored: null,
    });
    expect(labels.dataset.samples.targetLengths).toEqual(Uint32Array.of(2, 2, 2, 2));
  });

  it("of several files are read in natural order, without a line feed at the end too", async () => {
    await writeFile(join(folder, "b10.jsonl"), '{"inputs": [[3]], "targets": [3]}');
    await writeFile(join(folder, "b2.jsonl"), '{"inputs": [[1]], "targets": [1]}\r\n');
    await writeFile(join(folder, "b3.jsonl"), '{"inputs": [[2]], "targets": [2]}');
    const { dataset, files } = await readSequenceFiles({
      ...{ files: "b*.jsonl", baseDirectory: folder, targets: VALUES },
      ...{ validationFraction: 0.34, testFraction: 0.34 },
    });
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
      "b2.jsonl",
      "b3.jsonl",
      "b10.jsonl",
    ]);
    expect([...dataset.samples.targets]).toEqual([1, 2, 3]);
  });
});

describe("a line that is no sample", () => {
  const good = '{"inputs": [[1], [2]], "targets": [3, 4]}';
  const tokens = '{"inputs": [1, 2], "targets": 1}';
  const labels = '{"inputs": [1, 2, 3], "targets": [1, 2]}';

  it.each([
    [VALUES, good, "", "it is not JSON"],
    [
      VALUES,
      good,
      '{"inputs": [[1], [NaN]], "targets": [3, 4]}',
      "inputs[1][0] is NaN; it must be a finite number",
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1], [2]], "targets": [3, -Infinity]}',
      "targets[1] is -Infinity; it must be a finite number",
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1e999]], "targets": [3]}',
      "inputs[0][0] is Infinity; it must be a number from -3.4e38",
    ],
    [VALUES, good, "[1]", "it is [1]; it must be an object"],
    [
      VALUES,
      good,
      '{"input": [[1]], "targets": [3]}',
      '"input" is no key of a sample; its keys are',
    ],
    [VALUES, good, '{"targets": [3]}', "inputs is missing; it must be a list"],
    [VALUES, good, '{"inputs": [], "targets": []}', "inputs is []; it must be a list"],
    [
      VALUES,
      good,
      '{"inputs": [0.5], "targets": [3]}',
      "inputs[0] is 0.5; it must be a list of values, such as [0.5], or a token id",
    ],
    [VALUES, good, '{"inputs": [[1], [null]], "targets": [3, 4]}', "inputs[1][0] is null; it must"],
    [
      VALUES,
      good,
      '{"inputs": [[1e39]], "targets": [3]}',
      "inputs[0][0] is 1e+39; it must be a number",
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1], [1, 2]], "targets": [3, 4]}',
      "inputs[1] is [1,2]; it must be a list of 1",
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1, 2]], "targets": [3]}',
      "inputs has 2 values a step; it must have 1",
    ],
    [VALUES, good, '{"inputs": [1], "targets": [3]}', "inputs are tokens; they must be values"],
    [
      VALUES,
      good,
      '{"inputs": [[1], [2]], "targets": [3]}',
      "targets has 1 entries; it must be a list of 2",
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1]], "targets": [[3, 4]]}',
      "targets has 2 values; it must have 1",
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1]], "targets": ["3"]}',
      'targets[0][0] is "3"; it must be a number',
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1]], "targets": [3], "weight": 0}',
      "weight is 0; it must be a number above 0",
    ],
    [
      VALUES,
      good,
      '{"inputs": [[1]], "targets": [3], "weight": null}',
      "weight is null; it must be",
    ],
    [
      LAST_VALUES,
      '{"inputs": [[1]], "targets": 1}',
      '{"inputs": [[1]], "targets": []}',
      "targets is empty",
    ],
    [
      CLASS,
      tokens,
      '{"inputs": [1, -2], "targets": 1}',
      "inputs[1] is -2; it must be a whole number from 0",
    ],
    [
      CLASS,
      tokens,
      '{"inputs": [1, 0.5], "targets": 1}',
      "inputs[1] is 0.5; it must be a whole number",
    ],
    [
      CLASS,
      tokens,
      '{"inputs": [1], "targets": [1, 2]}',
      "targets has 2 entries; it must be a list of 1",
    ],
    [CLASS, tokens, '{"inputs": [1], "targets": -1}', "or -100 to be ignored"],
    [
      CLASS,
      tokens,
      '{"inputs": [7], "targets": 1}',
      "inputs has 7; ids are 0 to 6, as data.vocabularySize says",
    ],
    [
      CLASS,
      tokens,
      '{"inputs": [1], "targets": 3}',
      "targets has 3; ids are 0 to 2, as data.numClasses says",
    ],
    [
      LABELS,
      labels,
      '{"inputs": [1, 2], "targets": [1, 0]}',
      "targets[1] is 0, the blank; it must be another",
    ],
    [
      LABELS,
      labels,
      '{"inputs": [1, 2, 3], "targets": [2, 2, 1]}',
      "inputs has 3 steps for 3 labels, 1 of them",
    ],
    [
      LABELS,
      labels,
      '{"inputs": [1, 2, 3], "targets": 2}',
      "targets is 2; it must be a list of labels",
    ],
    [
      { kind: "values", of: "everyStep", range: [0, 1] },
      '{"inputs": [[1]], "targets": [1]}',
      '{"inputs": [[1]], "targets": [1.5]}',
      "targets has 1.5; the loss takes numbers from 0 to 1",
    ],
  ] satisfies [TargetsForm, string, string, string][])(
    "is refused, naming file, line and what is allowed (%j: %s, %s)",
    async (form, first, second, words) => {
      const sizes =
        form.kind === "values"
          ? {}
          : { vocabularySize: 7, ...(form === CLASS && { numClasses: 3 }) };
      const error: unknown = await read([first, second], form, sizes).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(DataError);
      expect(error).toMatchObject({ code: "invalidSample", details: { line: 2 } });
      expect((error as DataError).message).toContain(`a.jsonl:2: `);
      expect((error as DataError).message).toContain(words);
    },
  );

  it("does not count where the labels of a short sequence may be impossible", async () => {
    const line = '{"inputs": [1], "targets": [2, 2]}';
    await expect(read(fourTimes(line), LABELS)).rejects.toThrow("zeroInfinity");
    const { dataset } = await read(fourTimes(line), { ...LABELS, allowShort: true });
    expect(dataset.samples.lengths).toHaveLength(4);
  });
});

describe("a file of too few sequences", () => {
  it.each([
    [[], "the files hold no sequence"],
    [['{"inputs": [[1]], "targets": [1]}'], "1 sequences leave 0 for the validation part"],
  ])("is refused: %j", async (lines, words) => {
    const reading = read(lines, VALUES);
    await expect(reading).rejects.toMatchObject({ code: "wrongNumberOfSamples" });
    await expect(reading).rejects.toThrow(words);
  });
});

describe("inputs for a prediction", () => {
  it("need no targets", async () => {
    const file = join(folder, "p.jsonl");
    await writeFile(file, '{"inputs": [[1, 2]]}\n{"inputs": [[3, 4]], "targets": [1]}\n');
    const lines: unknown[] = [];
    for await (const line of readInputLines(file)) lines.push(line);
    expect(lines).toEqual([
      { inputs: { kind: "values", size: 2, values: [1, 2] }, length: 1 },
      { inputs: { kind: "values", size: 2, values: [3, 4] }, length: 1 },
    ]);
    await expect(readInputLines(join(folder, "none.jsonl")).next()).rejects.toMatchObject({
      code: "unreadable",
    });
  });

  it("name a number that is not finite", async () => {
    const file = join(folder, "q.jsonl");
    await writeFile(file, '{"inputs": [[1, Infinity]]}\n');
    await expect(readInputLines(file).next()).rejects.toThrow(
      "q.jsonl:1: inputs[0][1] is Infinity; it must be a finite number",
    );
  });

  it("come as they are read, so that what is wrong with a later line shows later", async () => {
    const file = join(folder, "q.jsonl");
    await writeFile(file, '\uFEFF{"inputs": [1]}\nno JSON\n');
    const lines = readInputLines(file);
    expect(await lines.next()).toMatchObject({ value: { inputs: { ids: [1] } } });
    await expect(lines.next()).rejects.toThrow(/q\.jsonl:2: it is not JSON/);
    // Whoever stops in the midst leaves no open file.
    for await (const line of readInputLines(file)) {
      expect(line.length).toBe(1);
      break;
    }
  });
});
