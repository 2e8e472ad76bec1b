import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compileLanguageModelSpec } from "@ostinato/lstm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RunError } from "../errors/index.js";
import { sealJson } from "../sealed-json/index.js";
import { LedgerWriter } from "./ledger-writer.js";
import { CHAIN_START, decodeLedger, positionProblem, readLedger } from "./read-ledger.js";
import type { LedgerRecord, StepRecord } from "./records.js";

const digest = (digit: string): string => digit.repeat(64);

const run: LedgerRecord = {
  type: "run",
  format: 1,
  job: "job-1",
  trajectory: digest("a"),
  data: digest("b"),
  model: compileLanguageModelSpec({
    kind: "languageModel",
    vocabularySize: 3,
    embeddingSize: 2,
    hiddenSize: 2,
  }),
  parameters: digest("c"),
  determinism: "strict",
};

const step = (number: number): StepRecord => ({
  type: "step",
  step: number,
  epoch: 0,
  epochStep: number - 1,
  samples: 2,
  lossSum: 2.5,
  lossWeight: 2,
  loss: 1.25,
  learningRate: 0.1,
  gradientNorm: 1e-3,
  clipped: false,
  skipped: null,
  parameters: digest("d"),
  nodes: [{ first: 0, count: 1, worker: "worker-1", fence: 4 }],
  leaves: [{ leaf: 0, samples: 2, weight: 2, loss: 2.5, digest: digest("e") }],
  lost: [],
});

const profile: LedgerRecord = { type: "profile", backend: "cpu", version: "1", digest: "f" };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-ledger-"));
  path = join(folder, "ledger.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes a small ledger and returns its lines, without newlines. */
async function write(records: readonly LedgerRecord[]): Promise<string[]> {
  const writer = LedgerWriter.create(path);
  for (const record of records) writer.append(record);
  await writer.close();
  return (await readFile(path, "utf8")).split("\n").slice(0, -1);
}

const decode = (text: string | Uint8Array) => decodeLedger(Buffer.from(text), "ledger.jsonl");
const inLines = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

describe("LedgerWriter", () => {
  it("chains each line to the one before by its hash", async () => {
    const lines = await write([run, step(1)]);
    const first = sealJson({ seq: 1, incarnation: 1, prev: CHAIN_START, ...run });
    const second = sealJson({ seq: 2, incarnation: 1, prev: first.hash, ...step(1) });
    expect(lines).toEqual([first.line, second.line]);
  });

  it("tells where the ledger ends after each line", async () => {
    const writer = LedgerWriter.create(path);
    const first = writer.append(run);
    const second = writer.append(profile);
    await writer.close();
    const { records, head, bytes } = await readLedger(path);
    expect(first).toEqual({ head: records[0]!.hash, offset: records[0]!.offset, line: 1 });
    expect(second).toEqual({ head, offset: bytes, line: 2 });
    expect(bytes).toBe((await readFile(path)).length);
  });

  it("shows a line to readers as soon as it is appended", async () => {
    const writer = LedgerWriter.create(path);
    writer.append(run);
    expect((await readLedger(path)).records).toHaveLength(1);
    await writer.close();
  });

  it("writes and syncs nothing once its guard says that it is not the writer any more", async () => {
    let isHeld = true;
    const guard = (): void => {
      if (!isHeld) throw new Error("lost");
    };
    const writer = LedgerWriter.create(path, { guard });
    writer.append(run);
    isHeld = false;
    expect(() => writer.append(profile)).toThrow("lost");
    await expect(writer.sync()).rejects.toThrow("lost");
    await writer.close();
    const contents = await readLedger(path);
    expect(contents.records).toHaveLength(1);
    await expect(LedgerWriter.resume(path, contents, { guard })).rejects.toThrow("lost");
  });

  it("leaves a writer that slept since it asked its guard with a file that nobody reads", async () => {
    const sleeper = LedgerWriter.create(path);
    sleeper.append(run);
    const taker = await LedgerWriter.resume(path, await readLedger(path));
    taker.append(profile);
    sleeper.append(step(1));
    await sleeper.close();
    await taker.close();
    const { records } = await readLedger(path);
    expect(records.map(({ type, incarnation }) => [type, incarnation])).toEqual([
      ["run", 1],
      ["profile", 2],
    ]);
    expect(await readdir(folder)).toEqual(["ledger.jsonl"]);
  });

  it("leaves the ledger as it was if its guard says no in the middle of a resume", async () => {
    await write([run, profile]);
    await appendFile(path, '{"seq":3,"incar');
    const before = await readFile(path);
    let numAsked = 0;
    const guard = (): void => {
      if (++numAsked === 2) throw new RunError("incarnationLost", "lost");
    };
    await expect(
      LedgerWriter.resume(path, await readLedger(path), { guard }),
    ).rejects.toMatchObject({ code: "incarnationLost" });
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual(["ledger.jsonl"]);
  });

  it("has the incarnation that it is told, and one above the last line's at least", async () => {
    await write([run]);
    const contents = await readLedger(path);
    for (const [told, incarnation] of [
      [1, 2],
      [5, 5],
    ]) {
      const writer = await LedgerWriter.resume(path, contents, { incarnation: told! });
      expect(writer.incarnation).toBe(incarnation);
      await writer.close();
    }
  });

  it("begins no ledger where there is one", async () => {
    await write([run]);
    expect(() => LedgerWriter.create(path)).toThrow(
      expect.objectContaining({
        code: "runDirectoryInUse",
        message: `${path}: holds the ledger of a run already`,
      }),
    );
  });

  it("goes on in the next incarnation, without the torn tail", async () => {
    await write([run, profile]);
    await appendFile(path, '{"seq":3,"incar');
    const before = await readLedger(path);
    expect(before.tornTail).toEqual({ bytes: 15 });
    const writer = await LedgerWriter.resume(path, before);
    const resume: LedgerRecord = {
      type: "resume",
      checkpointStep: 0,
      ledgerStep: 0,
      determinism: "strict",
      tornBytes: 15,
      skipped: [{ checkpoint: "step-00000004", reason: "damaged" }],
    };
    writer.append(resume);
    await writer.close();
    const after = await readLedger(path);
    expect(after.tornTail).toBeUndefined();
    expect(after.records[2]).toMatchObject({ ...resume, seq: 3, incarnation: 2 });
  });

  it("writes null for a number that is not finite", async () => {
    const [line] = await write([{ ...step(1), lossSum: NaN, loss: Infinity }]);
    expect(decode(`${String(line)}\n`).records[0]).toMatchObject({ lossSum: null, loss: null });
  });

  it("reports a path that cannot be written", () => {
    expect(() => LedgerWriter.create(join(folder, "none", "ledger.jsonl"))).toThrow(
      expect.objectContaining({ code: "storageFailed" }),
    );
  });
});

describe("readLedger", () => {
  it("reads back what was written", async () => {
    await write([run, profile, step(1)]);
    const { records } = await readLedger(path);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(records[2]).toMatchObject(step(1));
  });

  it("reads an empty ledger", () => {
    expect(decode("")).toEqual({ records: [], head: CHAIN_START, bytes: 0, tornTail: undefined });
  });

  it("notices every changed byte, as damage or as a torn tail", async () => {
    const bytes = Buffer.from(inLines(await write([run, profile, step(1)])));
    const lastLine = bytes.lastIndexOf("\n", -2) + 1;
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= [0x01, 0x20, 0xff][i % 3]!;
      let found: string;
      try {
        found = decode(changed).tornTail === undefined ? "nothing" : "torn";
      } catch (error) {
        found = (error as { code: string }).code;
      }
      // Only the last line, with what runs into it, can look like one that a crash cut short.
      const possible = i < lastLine - 1 ? ["ledgerCorrupt"] : ["ledgerCorrupt", "torn"];
      expect(possible, `byte ${i}`).toContain(found);
    }
  });

  it("refuses a ledger that a newer version has begun, and does not call it damaged", async () => {
    const line = { seq: 1, incarnation: 1, prev: CHAIN_START, ...run, format: 2, more: 1 };
    await writeFile(path, `${sealJson(line).line}\n`);
    for (const options of [{}, { syncedBytes: 0 }]) {
      await expect(readLedger(path, options)).rejects.toMatchObject({
        code: "newerFormat",
        message: expect.stringContaining("ledger.jsonl: is of format 2"),
      });
    }
  });

  it("names the line that was changed", async () => {
    const lines = await write([run, profile, step(1)]);
    lines[1] = lines[1]!.replace('"cpu"', '"gpu"');
    expect(() => decode(inLines(lines))).toThrow(
      "ledger.jsonl:2: the line was changed: it does not have the hash it names",
    );
    lines[1] = "garbage";
    expect(() => decode(inLines(lines))).toThrow(
      "ledger.jsonl:2: the line was changed: it is not JSON",
    );
  });

  it.each([0, 1, 2])("notices that line %i before the last was cut", async (index) => {
    const lines = await write([run, profile, step(1), step(2)]);
    lines.splice(index, 1);
    expect(() => decode(inLines(lines))).toThrow(
      `ledger.jsonl:${index + 1}: line ${index + 1} cut out or moved: line ${index + 2} stands here`,
    );
  });

  it("notices that several lines were cut", async () => {
    const lines = await write([run, profile, step(1), step(2)]);
    lines.splice(1, 2);
    expect(() => decode(inLines(lines))).toThrow(
      "ledger.jsonl:2: lines 2 to 3 cut out or moved: line 4 stands here",
    );
  });

  it.each([0, 1, 2, 3])("notices that line %i was doubled", async (index) => {
    const lines = await write([run, profile, step(1), step(2)]);
    lines.splice(index, 0, lines[index]!);
    expect(() => decode(inLines(lines))).toThrow(
      `ledger.jsonl:${index + 2}: line ${index + 1} was doubled or moved: it stands here as well`,
    );
  });

  it.each([0, 1, 2])("notices that line %i and the next were swapped", async (index) => {
    const lines = await write([run, profile, step(1), step(2)]);
    [lines[index], lines[index + 1]] = [lines[index + 1]!, lines[index]!];
    expect(() => decode(inLines(lines))).toThrow(
      `ledger.jsonl:${index + 1}: line ${index + 1} cut out or moved: line ${index + 2} stands here`,
    );
  });

  it("notices a line that was replaced by one with a right hash", async () => {
    const lines = await write([run, profile, step(1)]);
    const forged = sealJson({ seq: 2, incarnation: 1, prev: digest("0"), ...profile });
    lines[1] = forged.line;
    expect(() => decode(inLines(lines))).toThrow("ledger.jsonl:2: the line before was changed");
    const { prev } = decode(inLines(await readLines())).records[1]!;
    lines[1] = sealJson({ seq: 2, incarnation: 1, prev, ...profile, version: "2" }).line;
    expect(() => decode(inLines(lines))).toThrow("ledger.jsonl:3: the line before was changed");
  });

  it("refuses a line with a right hash that is no record", () => {
    const chain = { seq: 1, incarnation: 1, prev: CHAIN_START };
    const lineOf = (fields: object): string => `${sealJson(fields).line}\n`;
    expect(() => decode(lineOf({ ...chain, type: "note" }))).toThrow(
      "ledger.jsonl:1: the line is no ledger record (type: ",
    );
    expect(() => decode(lineOf({ ...chain, ...profile, extra: 1 }))).toThrow(
      "ledger.jsonl:1: the line is no ledger record",
    );
    expect(() => decode(lineOf({ ...profile }))).toThrow(
      "ledger.jsonl:1: the line has no seq, incarnation and prev",
    );
  });

  it("takes every cut of the last line for a torn tail, and no other", async () => {
    const text = inLines(await write([run, profile]));
    const whole = text.indexOf("\n") + 1;
    for (let end = whole + 1; end < text.length; end++) {
      const { records, bytes, tornTail } = decode(text.slice(0, end));
      expect(records).toHaveLength(1);
      expect([bytes, tornTail?.bytes]).toEqual([whole, end - whole]);
    }
    expect(decode(text.slice(0, whole)).tornTail).toBeUndefined();
  });

  it("takes a last line of zeros for a torn tail", async () => {
    const text = inLines(await write([run]));
    expect(decode(`${text}\0\0\0\n`).tornTail).toEqual({ bytes: 4 });
    expect(() => decode(`${text}\0\0\0\n\0\0\n`)).toThrow("ledger.jsonl:2");
  });

  it("reports a ledger that cannot be read", async () => {
    await expect(readLedger(path)).rejects.toMatchObject({ code: "storageFailed" });
  });

  async function readLines(): Promise<string[]> {
    return (await readFile(path, "utf8")).split("\n").slice(0, -1);
  }
});

describe("positionProblem", () => {
  it("finds the positions of whole lines, and no others", async () => {
    await write([run, profile, step(1)]);
    const ledger = await readLedger(path);
    for (const { hash, offset } of ledger.records) {
      expect(positionProblem(ledger, { head: hash, offset })).toBeUndefined();
      expect(positionProblem(ledger, { head: hash, offset: offset - 1 })).toMatch(/is not the one/);
      expect(positionProblem(ledger, { head: digest("0"), offset })).toMatch(/is not the one/);
    }
    await writeFile(path, inLines((await readFile(path, "utf8")).split("\n").slice(0, 2)));
    const cut = await readLedger(path);
    expect(positionProblem(cut, { head: ledger.head, offset: ledger.bytes })).toBe(
      `the ledger was cut: it has ${cut.bytes} bytes, ${ledger.bytes} were noted`,
    );
  });
});

describe("what a crash of the machine leaves", () => {
  it("is torn tail from the first damaged line on, beyond what was synced", async () => {
    await write([run, step(1), step(2), step(3)]);
    const { records } = await readLedger(path);
    const bytes = await readFile(path);
    const [, first, second] = records;
    // Zeros within the line of step 2, and a whole line after it.
    bytes.fill(0, first!.offset + 10, first!.offset + 20);
    expect(() => decodeLedger(bytes, "l")).toThrow("l:3: the line was changed");
    expect(() => decodeLedger(bytes, "l", { syncedBytes: second!.offset })).toThrow("l:3");
    const contents = decodeLedger(bytes, "l", { syncedBytes: first!.offset });
    expect(contents.records).toHaveLength(2);
    expect([contents.head, contents.bytes]).toEqual([first!.hash, first!.offset]);
    expect(contents.tornTail).toEqual({ bytes: bytes.length - first!.offset });
  });
});
