import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  compileLanguageModelSpec,
  createDecisions,
  initialParameters,
  parameterLayout,
  stateShape,
} from "@ostinato/lstm";
import { createLanguageModel } from "@ostinato/lstm/model";
import {
  createRunDirectory,
  LedgerWriter,
  loadConfig,
  writeCheckpoint,
  procProcesses,
} from "@ostinato/run";
import type { CheckpointContent } from "@ostinato/run";
import { ManualClock } from "@ostinato/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { isLanguageModel } from "./model-kind.js";
import type { AnyModel } from "./model-kind.js";
import { openModel, skippedText } from "./open-model.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-open-model-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A run with checkpoints of the steps 1 and 2, the best of step 2. */
const LANGUAGE_MODEL = {
  ...{ kind: "languageModel", cell: "lstm", vocabularySize: 3, embeddingSize: 2 },
  ...{ hiddenSize: 2, numLayers: 1, dropout: 0, forgetBias: 1 },
};

/** @param changes of what the checkpoints hold */
async function writeRun(
  backend: string,
  changes: Partial<Pick<CheckpointContent, "model" | "optimizer" | "statistics">> = {},
): Promise<string> {
  await writeFile(join(folder, "run.yaml"), "data: { files: book.txt }");
  const path = join(folder, "run");
  const run = await createRunDirectory({
    path,
    config: await loadConfig({ file: join(folder, "run.yaml") }),
    symbols: ["", "a", "b"],
    startedAt: new Date(0),
    claimant: {
      processes: procProcesses({ process, host: "here" }),
      clock: new ManualClock(),
      deadlineMs: 1000,
    },
  });
  const ledger = LedgerWriter.create(run.paths.ledger);
  const { head, offset } = ledger.append({ type: "profile", backend, version: "1", digest: "d" });
  await ledger.close();
  const { model = compileLanguageModelSpec(LANGUAGE_MODEL) } = changes;
  const decisions = createDecisions({ plateau: null, earlyStopping: null, averaging: null });
  const nothing = decisions.initialState();
  for (const step of [1, 2]) {
    const content: CheckpointContent = {
      ...{ job: "job-1", step, trajectory: "a".repeat(64), data: "b".repeat(64), model },
      profile: { backend, version: "1", digest: "d" },
      ledger: { head, offset },
      parameters: initialParameters(model, step),
      layout: parameterLayout(model),
      optimizer: { stepCount: step, slots: {} },
      statistics: new Float64Array(0),
      states: new Map(),
      progress: { ...nothing, best: { step: 2, loss: 1 } },
      ...changes,
    };
    await writeCheckpoint(run, content);
  }
  run.claim.release();
  return path;
}

describe("the model of a run", () => {
  it("is its best one", async () => {
    const opened = await openModel(await writeRun("cpu"));
    expect(opened.step).toBe(2);
    expect(skippedText(opened)).toBe("");
    opened.model.dispose();
  });

  /** What it makes of the symbol 1, from a state of zeros. */
  const logitsOf = (opened: AnyModel): readonly number[] => {
    if (!isLanguageModel(opened)) throw new Error("no language model");
    const { valuesPerRow } = stateShape(opened.spec);
    const { logits } = opened.predictNext(Int32Array.of(1), new Float32Array(valuesPerRow));
    return [...logits];
  };

  it("normalizes by the running statistics of its checkpoint", async () => {
    const model = compileLanguageModelSpec({ ...LANGUAGE_MODEL, normalization: "batch" });
    const statistics = Float64Array.of(0.3, -0.2, 0.5, 2);
    const opened = await openModel(await writeRun("cpu", { model, statistics }));
    const expected = createLanguageModel(model);
    expected.setParameters(initialParameters(model, 2));
    const fresh = logitsOf(expected);
    expected.setRunningStatistics(statistics);
    expect(logitsOf(opened.model)).toEqual(logitsOf(expected));
    expect(logitsOf(opened.model)).not.toEqual(fresh);
    for (const used of [opened.model, expected]) used.dispose();
  });

  it("has the average of an optimizer that keeps one, as the run's evaluations had", async () => {
    const model = compileLanguageModelSpec(LANGUAGE_MODEL);
    const average = initialParameters(model, 77);
    const optimizer = { stepCount: 2, slots: { average } };
    const opened = await openModel(await writeRun("cpu", { optimizer }));
    const expected = createLanguageModel(model);
    expected.setParameters(average);
    expect(logitsOf(opened.model)).toEqual(logitsOf(expected));
    for (const used of [opened.model, expected]) used.dispose();
  });

  it("is an older one where the best is damaged, which a person is told", async () => {
    const path = await writeRun("cpu");
    await rm(join(path, "checkpoints/step-00000002/state.safetensors"));
    const opened = await openModel(path);
    expect(opened.step).toBe(1);
    expect(skippedText(opened)).toMatch(
      /^ostinato: the best checkpoint is not used: step-00000002: state\.safetensors is missing; this is the checkpoint of step 1\n$/,
    );
    opened.model.dispose();
  });

  it("is refused where the run computed with a backend that is not here", async () => {
    await expect(openModel(await writeRun("tpu"))).rejects.toMatchObject({
      code: "unknownBackend",
      message:
        "the run computed with the backend tpu; here there are native and wasm and cpu and native-bfloat16",
    });
  });
});
