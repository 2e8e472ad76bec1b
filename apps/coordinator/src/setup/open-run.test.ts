import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadConfig } from "@ostinato/run";
import type { Claimant } from "@ostinato/run";
import { ManualClock } from "@ostinato/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { notesOf } from "./notes.js";
import { createRun, resumeRun } from "./open-run.js";
import type { OpenRun } from "./open-run.js";
import { prepareRunData } from "./run-data.js";

/** Whoever was before it is gone. */
const claimant: Claimant = {
  processes: {
    self: { pid: 1, host: "here", bootId: null, pidNamespace: null, startTicks: null },
    isGone: () => true,
  },
  clock: new ManualClock(),
  deadlineMs: 1000,
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-open-run-"));
  await writeFile(join(folder, "book.txt"), "abcdefgh".repeat(100));
  await writeFile(
    join(folder, "run.yaml"),
    "{ data: { files: book.txt }, model: { embeddingSize: 2, hiddenSize: 2 }, " +
      "training: { batchSize: 8, sequenceLength: 8 }, evaluation: { batchSize: 8 } }",
  );
});
afterEach(() => rm(folder, { recursive: true }));

async function open(how: "create" | "resume", overrides: readonly string[] = []): Promise<OpenRun> {
  const config = await loadConfig({ file: join(folder, "run.yaml"), overrides });
  const data = await prepareRunData(config, "run.yaml");
  const options = { config, data, path: join(folder, "run"), claimant };
  return how === "resume" ? resumeRun(options) : createRun({ ...options, startedAt: new Date(0) });
}

/** A run whose coordinator was killed after the first worker had joined. */
async function beginRun(): Promise<void> {
  const { ledger } = await open("create");
  ledger.append({ type: "profile", backend: "wasm", version: "1", digest: "d" });
  await ledger.close();
}

const namesInRun = async (): Promise<string[]> => (await readdir(join(folder, "run"))).sort();

describe("a resume", () => {
  it("goes on from the initial parameters where there is no checkpoint, and says so", async () => {
    await beginRun();
    const run = await open("resume");
    expect([run.incarnation, run.start.step, run.profile?.backend]).toEqual([2, 0, "wasm"]);
    expect(notesOf({ notes: ["a note"] }, run)).toEqual([
      { level: "info", text: "a note" },
      { level: "info", text: "resumed from step 0; 0 ledger lines to repeat" },
    ]);
    await run.ledger.close();
  });

  it("names the damaged checkpoints that it skips", async () => {
    await beginRun();
    await writeFile(join(folder, "run", "ledger.jsonl"), '{"seq":', { flag: "a" });
    const run = await open("resume");
    const { resumed } = run;
    const skipped = [{ name: "step-00000300", reason: "its manifest is cut" }];
    const notes = notesOf({ notes: [] }, { ...run, resumed: { ...resumed!, skipped } });
    expect(notes.slice(0, 2)).toEqual([
      { level: "warn", text: "step-00000300 was skipped: its manifest is cut" },
      { level: "warn", text: "7 bytes at the ledger's end were damaged and are cut off" },
    ]);
    await run.ledger.close();
  });

  it("finds a checkpoint again that a crash left under the name for what is replaced", async () => {
    await beginRun();
    const checkpoints = join(folder, "run", "checkpoints");
    await mkdir(join(checkpoints, ".step-00000007.replaced"), { recursive: true });
    const run = await open("resume");
    expect(run.resumed?.skipped).toEqual([
      { name: "step-00000007", reason: "manifest.json is missing" },
    ]);
    await run.ledger.close();
  });

  it.each([
    [
      "another value of a trajectory key",
      ["training.batchSize=16"],
      "trajectoryChanged",
      "training.batchSize is 16, but the run was begun with 8: a resume cannot change it",
    ],
    [
      "another backend than the run's",
      ["numerics.backend=cpu"],
      "trajectoryChanged",
      "numerics.backend is cpu, but the run computes with wasm: a resume cannot change it; " +
        "give wasm or auto",
    ],
  ])("is refused %s, and changes nothing", async (_, overrides, code, message) => {
    await beginRun();
    const before = await readFile(join(folder, "run", "ledger.jsonl"));
    await expect(open("resume", overrides)).rejects.toMatchObject({ code, message });
    expect(await readFile(join(folder, "run", "ledger.jsonl"))).toEqual(before);
    expect(await namesInRun()).toEqual([
      "config.yaml",
      "incarnations",
      "ledger.jsonl",
      "vocabulary.json",
    ]);
  });

  it("is refused a text with another character for the text, not for the model", async () => {
    await beginRun();
    await writeFile(join(folder, "book.txt"), `x${"abcdefgh".repeat(100)}`);
    await expect(open("resume")).rejects.toMatchObject({
      code: "dataChanged",
      message: expect.stringMatching(
        /^book\.txt: the text has changed since the run began with it/,
      ),
    });
  });

  it("needs a run directory", async () => {
    const config = await loadConfig({ file: join(folder, "run.yaml") });
    const data = await prepareRunData(config, "run.yaml");
    await expect(resumeRun({ config, data, path: undefined, claimant })).rejects.toMatchObject({
      message: "--resume needs --run-dir, the run directory to go on in",
    });
  });
});
