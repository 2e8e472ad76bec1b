/** `ostinato verify` proves a run, and names what is wrong with one that was changed. */

import { cp, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ledgerOf, stepsOf, trainToTheEnd } from "./support/cluster.js";
import { run } from "./support/processes.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
let numCopies = 0;

const WRONG_DATA = new URL("./support/wrong-data.mjs", import.meta.url).href;

/** @param wrongData how its worker is wrong, if it is */
function train(name: string, wrongData?: string): Promise<string> {
  // NODE_OPTIONS reaches the compute thread too, which lays the data out.
  const worker =
    wrongData === undefined
      ? {}
      : {
          env: {
            OSTINATO_TEST_WRONG_DATA: wrongData,
            NODE_OPTIONS: `--import=${WRONG_DATA}`,
            // It takes the place of a package, which a bundle has no more.
            OSTINATO_UNBUNDLED: "1",
          },
        };
  return trainToTheEnd(workspace.config, workspace.at(name), { workers: [worker] });
}

async function copyOf(name: string): Promise<string> {
  const copy = workspace.at(`copy-${numCopies++}`);
  await cp(workspace.at(name), copy, { recursive: true });
  return copy;
}

beforeAll(async () => {
  workspace = await createWorkspace(); // config.yaml of the run names the data by this folder
  await train("good");
});

afterAll(async () => {
  await workspace.remove();
});

describe("ostinato verify", () => {
  it("proves an untouched run and says what it proved", async () => {
    const { code, stdout } = await run(["verify", workspace.at("good")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/each sample/i);
  });

  it.each([
    "parameters.safetensors",
    "optimizer.safetensors",
    "state.safetensors",
    "manifest.json",
  ])("fails, naming the checkpoint, when one byte of %s is changed", async (file) => {
    const copy = await copyOf("good");
    const names = await readdir(join(copy, "checkpoints"));
    const checkpoint = names.filter((name) => name.startsWith("step-")).sort()[0] ?? "";
    const path = join(copy, "checkpoints", checkpoint, file);
    const bytes = await readFile(path);
    const place = Math.floor(bytes.length * 0.7);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const { code, stdout, stderr } = await run(["verify", copy]);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(checkpoint.replace(/^step-0*/, ""));
    expect(stdout + stderr).toContain(file);
  });

  // Line 21 of the file is changed; where a line is gone or there twice, the next one tells.
  const edits: readonly [string, RegExp, (lines: string[]) => string[]][] = [
    [
      "changed",
      /ledger\.jsonl:21\b/,
      (lines) => lines.map((line, i) => (i === 20 ? line.replace('"loss', '"lOss') : line)),
    ],
    ["cut", /ledger\.jsonl:21\b/, (lines) => lines.filter((_, i) => i !== 20)],
    [
      "doubled",
      /ledger\.jsonl:22\b/,
      (lines) => lines.flatMap((line, i) => (i === 20 ? [line, line] : [line])),
    ],
    ["cut at the end", /the ledger has no end record/, (lines) => lines.slice(0, -1)],
  ];
  it.each(edits)(
    "fails, naming the place, when a line of the ledger is %s",
    async (_, place, edit) => {
      const copy = await copyOf("good");
      const path = join(copy, "ledger.jsonl");
      const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
      await writeFile(path, `${edit(lines).join("\n")}\n`);
      const { code, stdout, stderr } = await run(["verify", copy]);
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(place);
    },
  );

  it("proves a run whose steps were skipped, and does not count their samples as used", async () => {
    const settings = [
      ...["training.onNonFinite=skipStep", "training.maxSteps=4", "model.dropout=0"],
      ...["optimizer.kind=sgd", "optimizer.learningRate=1e36", "optimizer.clipping.kind=none"],
    ];
    const runDirectory = await trainToTheEnd(workspace.config, workspace.at("skipped"), {
      settings,
      workers: [{}, {}],
    });
    const steps = stepsOf(await ledgerOf(runDirectory));
    // With such a learning rate the first step is the last one whose gradient is finite.
    expect(steps.map(({ skipped }) => skipped)).toEqual([null, ...Array(3).fill("nonFinite")]);
    const { code, stdout, stderr } = await run(["verify", runDirectory]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/3 steps skipped \(\d+ samples not used\)/);
    expect(stdout).toContain("208 samples");
  });

  it.each(["wrongSlice", "skipsOne", "repeatsOne"])(
    "names step and leaf when a worker computes other samples than its own (%s)",
    async (mode) => {
      const runDirectory = await train(mode, mode);
      const { code, stdout, stderr } = await run(["verify", runDirectory]);
      expect(code).toBe(1);
      // The deliberately wrong worker goes astray at the sixth step of an epoch, on leaf 3 alone.
      expect(stdout + stderr).toMatch(/step 6\b.*leaf 3\b/);
      expect(stdout + stderr).not.toMatch(/step 5\b/);
    },
  );
});
