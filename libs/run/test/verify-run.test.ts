import { appendFile, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { loadCheckpoint, writeCheckpoint } from "../src/checkpoint/index.js";
import { runPaths } from "../src/directory/index.js";
import { claimRun } from "../src/incarnation/index.js";
import type { LedgerRecord, StepRecord } from "../src/ledger/index.js";
import { readLedger } from "../src/ledger/index.js";
import { metricsOf, openMetricsFile } from "../src/metrics/index.js";
import { verifyRun } from "../src/verify/index.js";
import type { StepDigest, VerifyReport } from "../src/verify/index.js";
import { claimantOf } from "./support/claimant.js";
import { parametersAt, stepDigest, sumsOf, writeSmallRun } from "./support/small-run.js";
import type { SmallRun, SmallRunOptions } from "./support/small-run.js";
import { temporaryFolder } from "./support/temporary-folder.js";

const folder = temporaryFolder();

const verify = (path: string): Promise<VerifyReport> => verifyRun(path, { stepDigest });

/** The problems of a run with records changed by `edit`. */
async function problemsOf(options: SmallRunOptions): Promise<readonly string[]> {
  const { path } = await writeSmallRun(folder.path, options);
  const { ok, problems } = await verify(path);
  expect(ok).toBe(problems.length === 0);
  return problems;
}

/** Changes one step's record. */
const editStep =
  (step: number, change: (record: StepRecord) => LedgerRecord | LedgerRecord[] | undefined) =>
  (record: LedgerRecord) =>
    record.type === "step" && record.step === step ? change(record) : record;

/** Leaves step 5 out as a coordinator does, but for `more`. */
function skipStep5(more: Partial<StepRecord> = {}): (record: LedgerRecord) => LedgerRecord {
  let before = "";
  return (record) => {
    if (record.type !== "step") return record;
    if (record.step === 4) before = record.parameters;
    if (record.step !== 5) return record;
    return {
      ...record,
      ...{ skipped: "nonFinite", parameters: before, nodes: [], leaves: [] },
      ...{ samples: 0, lossSum: null, lossWeight: 0, loss: null, gradientNorm: null },
      ...more,
    };
  };
}

/** Line of step 5: after run, profile and four steps. */
const STEP_5 = "ledger.jsonl:7: step 5";

describe("verifyRun on a right run", () => {
  it("finds nothing wrong and counts what was done", async () => {
    const { path } = await writeSmallRun(folder.path);
    expect(await verify(path)).toEqual({
      ok: true,
      problems: [],
      summary: {
        steps: 16,
        skippedSteps: 0,
        skippedSamples: 0,
        epochs: 2,
        samples: 2 * 287,
        evaluations: 3,
        resumes: 0,
        ended: true,
        stopReason: null,
        workers: ["worker-1", "worker-2", "worker-3"],
      },
    });
  });

  it("accepts a run that was killed and resumed", async () => {
    const { path } = await writeSmallRun(folder.path, { resumeAfter: 11 });
    const { problems, summary } = await verify(path);
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({ steps: 16, resumes: 1, samples: 574 });
  });

  it("does not mind the claim of a coordinator that was killed", async () => {
    const { path } = await writeSmallRun(folder.path, { stopAfter: 11 });
    await claimRun(runPaths(path).incarnations, claimantOf());
    expect((await verify(path)).problems).toEqual([]);
  });

  it("accepts a run that was stopped in an epoch", async () => {
    const { path } = await writeSmallRun(folder.path, { stopAfter: 11 });
    const { problems, summary } = await verify(path);
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({ steps: 11, epochs: 1 });
  });

  it("accepts a skipped step, and does not count its samples", async () => {
    const { path } = await writeSmallRun(folder.path, { stopAfter: 6, edit: skipStep5() });
    const { problems, summary } = await verify(path);
    expect(problems).toEqual([]);
    // Five full steps of 5 rows of 8.
    expect(summary).toMatchObject({
      ...{ steps: 6, skippedSteps: 1 },
      ...{ samples: 5 * 40, skippedSamples: 40 },
    });
  });
});

/**
 * Every evaluation has the same loss: that after step 4 is the best, those after 8, 12 and 16 are no
 * better. So the learning rate is halved after 8 and after 12, and training ends at 12.
 */
const DECIDED: SmallRunOptions = {
  settings: {
    evaluation: { everySteps: 4 },
    training: { earlyStopping: { patience: 2 } },
    optimizer: { schedule: { kind: "plateau", patience: 0, factor: 0.5 } },
  },
  learningRate: (step) => (step <= 8 ? 0.002 : 0.001),
  endsEarlyAt: 12,
};

describe("verifyRun follows what was decided from the evaluations:", () => {
  it("accepts lower learning rates and an early end where they follow", async () => {
    const { path } = await writeSmallRun(folder.path, DECIDED);
    const { problems, summary } = await verify(path);
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({ steps: 12, ended: true, stopReason: "earlyStopping" });
  });

  it("names the step whose learning rate a plateau had halved", async () => {
    const problems = await problemsOf({ ...DECIDED, learningRate: () => 0.002 });
    expect(problems).toHaveLength(4);
    expect(problems[0]).toMatch(/: step 9: learningRate is 0.002, not 0.001$/);
  });

  it("names each step after the one at which training was to end", async () => {
    const { endsEarlyAt: _, ...options } = DECIDED;
    const learningRate = (step: number): number => [2e-3, 2e-3, 1e-3, 5e-4][(step - 1) >> 2] ?? 0;
    const problems = await problemsOf({ ...options, learningRate });
    expect(problems).toHaveLength(4 + 2);
    expect(problems[0]).toMatch(/: step 13: comes after training was to end at step 12$/);
    expect(problems[4]).toMatch(/: end: stopReason is null, not earlyStopping$/);
    expect(problems[5]).toMatch(/: end: step is 16, not 12$/);
  });

  it("names an early end that nothing asked for", async () => {
    const settings = { ...DECIDED.settings, training: { earlyStopping: { patience: 3 } } };
    const problems = await problemsOf({ ...DECIDED, settings });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/: end: stopReason is earlyStopping, not null$/);
    expect(problems[1]).toMatch(/: end: step is 12, not 16$/);
  });

  it("names a checkpoint that would go on with other decisions", async () => {
    const { run } = await writeSmallRun(folder.path, { ...DECIDED, stopAfter: 9 });
    const content = await loadCheckpoint(run, 8);
    const { plateau } = content.progress;
    expect(plateau).toMatchObject({ numBad: 0 });
    const other = { ...content.progress, learningRateFactor: 1, plateau: null };
    await writeCheckpoint(run, { ...content, progress: other });
    expect((await verify(run.paths.root)).problems).toEqual([
      "checkpoints: step-00000008: progress.learningRateFactor is 1, not 0.5",
      `checkpoints: step-00000008: progress.plateau is null, not ${JSON.stringify(plateau)}`,
    ]);
  });

  it("takes the learning rate of a schedule in epochs from the step's epoch", async () => {
    const optimizer = { schedule: { kind: "decayFromEpoch", fullEpochs: 1, gamma: 0.25 } };
    // Wrong at step 9, the first of the second epoch.
    const learningRate = (step: number): number => (step <= 9 ? 0.002 : 0.0005);
    expect(await problemsOf({ settings: { optimizer }, learningRate })).toEqual([
      expect.stringMatching(/: step 9: learningRate is 0.002, not 0.0005$/),
    ]);
  });
});

describe("verifyRun names what a worker did wrong:", () => {
  it("a skipped step that holds a part of what was computed for it", async () => {
    const nodes = [{ first: 0, count: 2, worker: "worker-1", fence: 3 }];
    const edit = skipStep5({ nodes, samples: 20, lossSum: 3 });
    expect(await problemsOf({ stopAfter: 6, edit })).toEqual([
      `${STEP_5}, skipped: the number of nodes is 1, not 0`,
      `${STEP_5}, skipped: samples is 20, not 0`,
      `${STEP_5}, skipped: lossSum is 3, not null`,
    ]);
  });

  it("the slice of another leaf", async () => {
    const problems = await problemsOf({
      edit: editStep(5, (record) => ({
        ...record,
        leaves: record.leaves.map((leaf) =>
          leaf.leaf === 2 ? { ...leaf, digest: record.leaves[3]!.digest } : leaf,
        ),
      })),
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^ledger.jsonl:7: step 5, leaf 2 \(worker-2\): computed the samples of leaf 3 \(digest /,
    );
  });

  it("the slice of another step", async () => {
    const digests: string[] = [];
    const problems = await problemsOf({
      edit: (record) => {
        if (record.type !== "step") return record;
        digests.push(record.leaves[1]!.digest);
        if (record.step !== 5) return record;
        const leaves = record.leaves.map((leaf) =>
          leaf.leaf === 1 ? { ...leaf, digest: digests[3]! } : leaf,
        );
        return { ...record, leaves };
      },
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^ledger.jsonl:7: step 5, leaf 1 \(worker-1\): computed other samples than its own/,
    );
  });

  it("samples left out", async () => {
    const problems = await problemsOf({
      edit: editStep(5, (record) => {
        const leaves = record.leaves.map((leaf) =>
          leaf.leaf === 3 ? { ...leaf, samples: 15, weight: 15 } : leaf,
        );
        return { ...record, leaves, ...sumsOf(leaves) };
      }),
    });
    expect(problems).toEqual([
      `${STEP_5}, leaf 3 (worker-3): the number of samples is 15, not 16`,
      `${STEP_5}, leaf 3 (worker-3): the loss weight is 15, not 16`,
    ]);
  });

  it("a leaf left out", async () => {
    const problems = await problemsOf({
      edit: editStep(5, (record) => {
        const leaves = record.leaves.filter(({ leaf }) => leaf !== 3);
        return { ...record, leaves, nodes: record.nodes.slice(0, 2), ...sumsOf(leaves) };
      }),
    });
    expect(problems).toEqual([
      `${STEP_5}: no node has the leaves 3 to 3`,
      `${STEP_5}: leaf 3 is missing`,
    ]);
  });

  it("a leaf counted twice", async () => {
    const problems = await problemsOf({
      edit: editStep(5, (record) => {
        const leaves = [...record.leaves, record.leaves[3]!];
        const node = { first: 2, count: 2, worker: "worker-4", fence: 99 };
        return { ...record, leaves, nodes: [...record.nodes, node], ...sumsOf(leaves) };
      }),
    });
    expect(problems).toEqual([
      `${STEP_5}, node of leaves 2 to 3 (worker-4): has leaves that another node has too`,
      `${STEP_5}, node of leaves 3 to 3 (worker-3): has leaves that another node has too`,
      `${STEP_5}: leaf 3 counts 2 times`,
    ]);
  });

  it("a node that the tree does not have", async () => {
    const problems = await problemsOf({
      edit: editStep(5, (record) => ({
        ...record,
        nodes: [
          { first: 0, count: 1, worker: "worker-1", fence: 1 },
          { first: 1, count: 2, worker: "worker-2", fence: 2 },
          { first: 3, count: 1, worker: "worker-3", fence: 3 },
        ],
      })),
    });
    expect(problems).toEqual([
      `${STEP_5}, node of leaves 1 to 2 (worker-2): is no node of the gradient tree`,
    ]);
  });

  it("a sum that is not that of the leaves, by one bit", async () => {
    const problems = await problemsOf({
      edit: editStep(5, (record) => ({ ...record, lossSum: record.lossSum! + 2 ** -46 })),
    });
    // 40 samples of about 2.3: the next float64 after the sum is 2^-46 away, too near for the mean.
    expect(problems.map((line) => line.replace(/is .*/, "is …"))).toEqual([
      `${STEP_5}: lossSum is …`,
    ]);
  });

  it("an evaluation of the wrong rows", async () => {
    const problems = await problemsOf({
      edit: (record) => {
        if (record.type !== "evaluation" || record.split !== "test") return record;
        const [a, b, c, d] = record.leaves;
        return { ...record, leaves: [a!, { ...b!, digest: d!.digest }, c!, d!] };
      },
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^ledger.jsonl:21: evaluation of test at 8, leaf 1 \(worker-1\): computed the samples of leaf 3/,
    );
  });
});

describe("verifyRun names what is wrong with the history:", () => {
  it("a step left out", async () => {
    expect(await problemsOf({ edit: editStep(5, () => undefined) })).toEqual([
      "ledger.jsonl:7: step 6: the steps 5 to 5 are missing",
    ]);
  });

  it("a step committed twice", async () => {
    expect(await problemsOf({ edit: editStep(5, (record) => [record, record]) })).toEqual([
      "ledger.jsonl:8: step 5: comes again after step 5",
    ]);
  });

  it("a step at another place of its epoch", async () => {
    const edit = editStep(5, (record) => ({ ...record, epoch: 1, epochStep: 3 }));
    expect(await problemsOf({ edit })).toEqual([
      `${STEP_5}: epoch is 1, not 0`,
      `${STEP_5}: epochStep is 3, not 4`,
    ]);
  });

  it("a skipped step that changed the parameters", async () => {
    const edit = skipStep5({ parameters: "f".repeat(64) });
    const problems = await problemsOf({ stopAfter: 6, edit });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/step 5: the parameters' digest after a skipped step is/);
  });

  it("an evaluation of other parameters, or a second one", async () => {
    const problems = await problemsOf({
      edit: (record) =>
        record.type === "evaluation" && record.split === "test"
          ? [record, { ...record, parameters: "0".repeat(64) }]
          : record,
    });
    expect(problems.map((line) => line.slice(0, 66))).toEqual([
      "ledger.jsonl:22: evaluation of test at 8: comes a second time",
      "ledger.jsonl:22: evaluation of test at 8: the parameters' digest i",
    ]);
  });

  it("an evaluation of the validation part that comes too late", async () => {
    let withheld: LedgerRecord | undefined;
    const problems = await problemsOf({
      stopAfter: 9,
      edit: (record) => {
        if (record.type === "evaluation") withheld = record;
        if (record.type === "evaluation") return undefined;
        return record.type === "step" && record.step === 9 ? [record, withheld!] : record;
      },
    });
    expect(problems).toContain(
      "ledger.jsonl:12: evaluation of validation at 8: the step before it is 9, not 8",
    );
  });

  it("a resume that names another step", async () => {
    const problems = await problemsOf({
      resumeAfter: 11,
      edit: (record) =>
        record.type === "resume" ? { ...record, ledgerStep: 10, checkpointStep: 12 } : record,
    });
    expect(problems).toEqual([
      "ledger.jsonl:15: resume: ledgerStep is 10, not 11",
      "ledger.jsonl:15: resume: resumes from a checkpoint of step 12, which the ledger does not have",
    ]);
  });

  it.each([
    [1, [expect.stringMatching(/incarnation is 1, not above 1$/)]],
    // Coordinators that ended before they wrote a line had the numbers between.
    [7, []],
  ])("a resume that is of incarnation %i after the first", async (incarnation, expected) => {
    let isResumed = false;
    const problems = await problemsOf({
      resumeAfter: 11,
      edit: (record) => {
        isResumed ||= record.type === "resume";
        // Stands in for what the writer puts there.
        return isResumed ? Object.assign({}, record, { incarnation }) : record;
      },
    });
    expect(problems).toEqual(expected);
  });

  it("a new incarnation that no resume announces", async () => {
    const problems = await problemsOf({
      resumeAfter: 11,
      edit: (record) => (record.type === "resume" ? undefined : record),
    });
    expect(problems).toEqual(["ledger.jsonl:15: step 12: incarnation is 2, not 1"]);
  });

  it("another numerics profile, where the config is strict", async () => {
    const problems = await problemsOf({
      edit: (record) =>
        record.type === "profile" ? [record, { ...record, version: "2.0" }] : record,
    });
    expect(problems).toEqual([
      "ledger.jsonl:3: profile: another numerics profile (cpu 2.0 0123) than before " +
        "(cpu 1.0 0123); numerics.determinism is strict",
    ]);
  });

  it("no other numerics profile where the run was relaxed at that time, whatever a resume says", async () => {
    const problems = await problemsOf({
      resumeAfter: 11,
      edit: (record) => {
        if (record.type === "run") return { ...record, determinism: "relaxed" };
        return record.type === "profile" ? [record, { ...record, version: "2.0" }] : record;
      },
    });
    expect(problems).toEqual([]);
  });

  it("another learning rate than the schedule's", async () => {
    const edit = editStep(5, (record) => ({ ...record, learningRate: 0.004 }));
    expect(await problemsOf({ edit })).toEqual([`${STEP_5}: learningRate is 0.004, not 0.002`]);
  });

  it("an evaluation that was due and is missing, and one that is not the best", async () => {
    const isValidation = (record: LedgerRecord, step: number): boolean =>
      record.type === "evaluation" && record.split === "validation" && record.step === step;
    expect(
      await problemsOf({
        stopAfter: 10,
        edit: (record) => (isValidation(record, 8) ? undefined : record),
      }),
    ).toContain("ledger.jsonl:11: step 9: there is no evaluation of validation after step 8");
    await rm(join(folder.path, "run"), { recursive: true });
    expect(
      await problemsOf({
        edit: (record) =>
          record.type === "evaluation" && record.step === 16 ? { ...record, best: true } : record,
      }),
    ).toContain("ledger.jsonl:20: evaluation of validation at 16: best is true, not false");
  });

  it("an end without the evaluation of the test part", async () => {
    const problems = await problemsOf({
      edit: (record) =>
        record.type === "evaluation" && record.split === "test" ? undefined : record,
    });
    expect(problems).toEqual(["ledger.jsonl:21: end: there is no evaluation of test"]);
  });

  it("a checkpoint whose decisions are not the ledger's", async () => {
    const { run } = await writeSmallRun(folder.path, { stopAfter: 9 });
    const content = await loadCheckpoint(run, 8);
    await writeCheckpoint(run, {
      ...content,
      profile: { backend: "wasm", version: "9", digest: "d" },
      optimizer: { ...content.optimizer, stepCount: 9 },
      progress: { ...content.progress, best: { step: 8, loss: 0.5 }, evaluatedStep: 4 },
    });
    const place = "checkpoints: step-00000008";
    const { problems } = await verify(run.paths.root);
    expect(problems.slice(0, 4)).toEqual([
      `${place}: optimizer.stepCount is 9, not 8`,
      `${place}: progress.evaluatedStep is 4, not 8`,
      expect.stringContaining(`${place}: progress.best is {"step":8,"loss":0.5}, not `),
      `${place}: its numerics profile is not one of the ledger's`,
    ]);
  });

  it("last lines that were cut off an unfinished run, if its metrics know of them", async () => {
    const { run, path } = await writeSmallRun(folder.path, { stopAfter: 11 });
    const { records } = await readLedger(run.paths.ledger);
    openMetricsFile(run.paths.metrics, { committed: metricsOf(records) }).close();
    expect(await verify(path)).toMatchObject({ problems: [], summary: { ended: false } });
    await truncate(run.paths.ledger, records.at(-2)!.offset);
    expect((await verify(path)).problems).toEqual([
      "metrics.jsonl: has step 11, the ledger ends with step 10: its last lines were cut or lost",
    ]);
  });

  it("a run that ends before its epochs do", async () => {
    const problems = await problemsOf({
      edit: (record) => (record.type === "step" && record.step === 16 ? undefined : record),
    });
    expect(problems).toContain("ledger.jsonl:21: end: the last step is 16, not 15");
  });

  it("another best step than the evaluations say", async () => {
    const problems = await problemsOf({
      edit: (record) => (record.type === "end" ? { ...record, best: null } : record),
    });
    expect(problems).toEqual([
      "ledger.jsonl:22: end: the best step is undefined, not 8",
      expect.stringMatching(/^ledger.jsonl:22: end: the best loss is undefined, not /),
    ]);
  });

  it("something after the end", async () => {
    const edit = (record: LedgerRecord) =>
      record.type === "end" ? [record, { ...record }] : record;
    const problems = await problemsOf({ edit });
    expect(problems).toContain("ledger.jsonl:23: end: follows the end of the run in line 22");
  });
});

/** Everything that verification covers to the last byte. */
const filesOf = async ({ run }: SmallRun): Promise<string[]> => {
  const names = await readdir(run.paths.checkpoints, { recursive: true, withFileTypes: true });
  const checkpoints = names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return [run.paths.ledger, run.paths.vocabulary, run.paths.end, ...checkpoints];
};

describe("verifyRun notices", () => {
  it("a changed byte at many places of every file", async () => {
    const small = await writeSmallRun(folder.path);
    const files = await filesOf(small);
    expect(files).toHaveLength(3 + 2 + 2 * 4);
    for (const file of files) {
      const bytes = await readFile(file);
      const places = new Set([0, 9, bytes.length >> 1, bytes.length - 2]);
      for (const place of places) {
        const changed = Buffer.from(bytes);
        changed[place]! ^= 1;
        await writeFile(file, changed);
        expect((await verify(small.path)).ok, `${file} at ${place}`).toBe(false);
      }
      await writeFile(file, bytes);
    }
    expect((await verify(small.path)).ok).toBe(true);
  });

  it("a cut or missing file", async () => {
    const small = await writeSmallRun(folder.path);
    for (const file of await filesOf(small)) {
      const bytes = await readFile(file);
      await writeFile(file, bytes.subarray(0, bytes.length - 2));
      expect((await verify(small.path)).ok, `${file} cut`).toBe(false);
      await rm(file);
      const isBest = file.endsWith("best.json"); // nothing says that there has to be one
      const found = await verify(small.path).then(
        ({ ok }) => ok,
        (error: unknown) => (error as { code: string }).code === "notARun" && false,
      );
      expect(found, `${file} removed`).toBe(isBest);
      await writeFile(file, bytes);
    }
  });

  it("each line of the ledger that is cut or doubled", async () => {
    const { path, run } = await writeSmallRun(folder.path);
    const lines = (await readFile(run.paths.ledger, "utf8")).split("\n").slice(0, -1);
    for (let line = 0; line < lines.length; line++) {
      for (const copies of [0, 2]) {
        const changed = lines.flatMap((text, i) => (i === line ? Array(copies).fill(text) : text));
        await writeFile(run.paths.ledger, changed.map((text) => `${String(text)}\n`).join(""));
        const { ok, problems } = await verify(path);
        expect(ok, `line ${line + 1}, ${copies} times`).toBe(false);
        expect(problems.join("\n")).toMatch(/ledger/);
      }
    }
  });

  it("a torn last line", async () => {
    const { path, run } = await writeSmallRun(folder.path, { stopAfter: 3 });
    await appendFile(run.paths.ledger, '{"seq":6,"inc');
    expect((await verify(path)).problems).toEqual([
      "ledger.jsonl:6: a torn line of 13 bytes; a resume cuts it off",
    ]);
  });

  it("a trajectory key that was changed afterwards", async () => {
    const { path, run } = await writeSmallRun(folder.path);
    const text = await readFile(run.paths.config, "utf8");
    await writeFile(run.paths.config, text.replace("epochs: 2", "epochs: 3"));
    const { problems } = await verify(path);
    expect(problems[0]).toMatch(/^config.yaml: the digest of its trajectory keys is /);
  });

  it("a checkpoint whose parameters are not those of its step", async () => {
    const { path } = await writeSmallRun(folder.path);
    const other: StepDigest = ({ parameters, statistics }) =>
      stepDigest({ parameters: parameters.map((x) => -x), statistics });
    const { problems } = await verifyRun(path, { stepDigest: other });
    expect(problems.map((line) => line.replace(/ is .*/, ""))).toEqual([
      "checkpoints: step-00000016: the parameters' digest",
      "checkpoints: step-00000008: the parameters' digest",
    ]);
  });

  it("an end record that names other parameters", async () => {
    const { path, run } = await writeSmallRun(folder.path);
    const end = (await run.readEnd())!;
    await run.writeEnd({ ...end, parametersSha256: "0".repeat(64), step: 8 });
    const { problems } = await verify(path);
    expect(problems.map((line) => line.slice(0, 40))).toEqual([
      "end.json: step is 8, not 16",
      "end.json: parametersSha256 is 0000000000",
      "end.json: parametersSha256 is 0000000000",
    ]);
  });

  it("a missing end record", async () => {
    const { path, run } = await writeSmallRun(folder.path);
    await rm(run.paths.end);
    expect((await verify(path)).problems).toEqual([
      "end.json: is missing, although the ledger ends in line 22",
    ]);
  });
});

describe("verifyRun without the data", () => {
  it("says so, and checks everything else", async () => {
    const { path, dataFile, run } = await writeSmallRun(folder.path);
    await rm(dataFile);
    const { ok, problems, summary } = await verify(path);
    expect(ok).toBe(false);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain("text.txt");
    expect(problems[1]).toBe("data: without it, which samples were used cannot be checked");
    expect(summary).toMatchObject({ steps: 16, epochs: 0 });
    await rm(join(run.paths.checkpoints, "step-00000008", "state.safetensors"));
    expect((await verify(path)).problems).toHaveLength(4);
  });

  it("says that it is another text", async () => {
    const { path, dataFile } = await writeSmallRun(folder.path);
    await appendFile(dataFile, "abc");
    const { problems } = await verify(path);
    expect(problems[0]).toMatch(/^data: another data set \([0-9a-f]{64}\), not that of the run/);
    expect(problems).toHaveLength(2);
  });
});

describe("verifyRun refuses", () => {
  it("a folder that holds no run", async () => {
    await expect(verifyRun(folder.path)).rejects.toMatchObject({ code: "notARun" });
  });
});

describe("a run whose optimizer keeps an average", () => {
  const average = (step: number): Float32Array => parametersAt(step).map((value) => value / 2);
  const averaging = { kind: "averagedSgd", learningRate: 0.002 };

  it("is evaluated with it from the first update after the start on", async () => {
    // The average has the updates from t0 + 2 on: at step 8 more than one.
    const settings = { optimizer: { ...averaging, t0: 5 } };
    const { path } = await writeSmallRun(folder.path, { settings, average });
    expect((await verify(path)).problems).toEqual([]);
  });

  it("has no average to evaluate before that", async () => {
    const settings = { optimizer: { ...averaging, t0: 6 } };
    const { path } = await writeSmallRun(folder.path, { settings, average });
    const { problems } = await verify(path);
    expect(problems.map((line) => line.replace(/ is .*/, ""))).toEqual([
      "ledger.jsonl:11: evaluation of validation at 8: the parameters' digest",
    ]);
  });

  it("starts it by an evaluation that is worse than one before, as its config says", async () => {
    const settings = {
      optimizer: { ...averaging, nonmonotonicInterval: 0 },
      evaluation: { everySteps: 4 },
    };
    /** The loss of step 8 is doubled; at step 12 other parameters are evaluated than those trained. */
    const edit =
      (worse: boolean) =>
      (record: LedgerRecord): LedgerRecord => {
        if (record.type !== "evaluation" || record.split === "test") return record;
        if (record.step === 12) return { ...record, parameters: "0".repeat(64) };
        if (!worse || record.step !== 8) return record;
        const leaves = record.leaves.map((leaf) => ({ ...leaf, loss: 2 * (leaf.loss ?? 0) }));
        return { ...record, ...sumsOf(leaves), leaves };
      };
    const at12 = (step: number): Float32Array => (step === 12 ? average : parametersAt)(step);
    const problemsAt12 = async (folderName: string, worse: boolean): Promise<string[]> => {
      const options = { settings, average: at12, edit: edit(worse) };
      const { path } = await writeSmallRun(join(folder.path, folderName), options);
      const { problems } = await verify(path);
      return problems
        .filter((line) => !line.includes("progress."))
        .map((line) => line.replace(/ is .*/, ""));
    };
    const ofCheckpoint =
      "checkpoints: step-00000012: ledger.jsonl:17 evaluates other parameters than its average";
    // Equal losses start nothing, and the ledger alone says what is evaluated.
    expect(await problemsAt12("equal", false)).toEqual([
      "ledger.jsonl:17: evaluation of validation at 12: the parameters' digest",
      ofCheckpoint,
    ]);
    // What an average is only the checkpoint can say.
    expect(await problemsAt12("worse", true)).toEqual([ofCheckpoint]);
  });

  it("evaluates the best step's again in the end", async () => {
    const settings = { optimizer: { ...averaging, t0: 5 } };
    const { path } = await writeSmallRun(folder.path, {
      ...{ settings, average },
      edit: (record) =>
        record.type === "evaluation" && record.split === "test"
          ? { ...record, parameters: "0".repeat(64) }
          : record,
    });
    const { problems } = await verify(path);
    expect(problems.map((line) => line.replace(/ is .*/, ""))).toContain(
      "ledger.jsonl:21: evaluation of test at 8: the parameters' digest",
    );
  });
});
