/** `ostinato diagnose` as it is started: a task, a text, and a task given to `train`. */

import { readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "./support/processes.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await createWorkspace();
  await writeFile(
    workspace.at("task.yaml"),
    "data: { kind: copyTask, numSymbols: 2, delay: 4, alphabetSize: 3 }\n" +
      "model: { hiddenSize: 6 }\ntraining: { batchSize: 4 }\n",
  );
});

afterAll(async () => {
  await workspace.remove();
});

interface Shown {
  readonly event: string;
  readonly variants: readonly {
    readonly value: string | null;
    readonly end: {
      readonly step: number;
      readonly layers: readonly {
        readonly byDistance: { readonly hidden: { readonly norms: readonly number[] } };
      }[];
    };
  }[];
}

describe("ostinato diagnose", () => {
  it("compares cells on a task, and draws them", async () => {
    const finished = await run(
      [
        ...["diagnose", "task.yaml", "--compare", "model.cell=rnn,gru,lstm", "--steps", "5"],
        ...["--svg", "cells.svg", "--json"],
      ],
      { cwd: workspace.folder },
    );
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect(finished.stdout.trimEnd().split("\n")).toHaveLength(1);
    const { event, variants } = JSON.parse(finished.stdout) as Shown;
    expect(event).toBe("diagnosis");
    expect(variants.map(({ value }) => value)).toEqual(["rnn", "gru", "lstm"]);
    for (const { end } of variants) {
      expect(end.step).toBe(5);
      // 4 + 2·2 time steps.
      expect(end.layers[0]?.byDistance.hidden.norms).toHaveLength(8);
    }
    expect(await readFile(workspace.at("cells.svg"), "utf8")).toMatch(/^<svg [^]*<\/svg>\s*$/);
  });

  it("shows a language model's gradients on its own text", async () => {
    const finished = await run(["diagnose", "run.yaml", "--steps", "3"], { cwd: workspace.folder });
    expect(finished.code, finished.stderr).toBe(0);
    for (const part of ["layers.1 forget", "embedding.table", "time steps back"]) {
      expect(finished.stdout).toContain(part);
    }
  });

  it("refuses a wrong value in one line, with exit code 2", async () => {
    const args = ["diagnose", "task.yaml", "--compare", "model.cell=gru,elman"];
    const finished = await run(args, { cwd: workspace.folder });
    expect(finished).toMatchObject({ code: 2, stdout: "" });
    expect(finished.stderr).toBe(
      "ostinato: task.yaml: --compare model.cell: model.cell: \"elman\" is not 'lstm', 'gru' or 'rnn'\n",
    );
  });
});

describe("ostinato train", () => {
  it("refuses a task, says what it is for, and leaves nothing behind", async () => {
    const before = await readdir(workspace.folder);
    const finished = await run(["train", "task.yaml"], { cwd: workspace.folder });
    expect(finished).toMatchObject({ code: 2, stdout: "" });
    expect(finished.stderr).toBe(
      "ostinato: task.yaml:1: data.kind: \"copyTask\" is a task for `ostinato diagnose`; a run takes 'text', 'sequences' or 'pairs'\n",
    );
    expect(await readdir(workspace.folder)).toEqual(before);
  });
});
