/** Averaged SGD in a run: when averaging starts, what is evaluated, and that a resumed run does the same. */

import { digestOfVersion } from "@ostinato/proto";
import type { EvaluationRecord, LedgerEntry, StepRecord } from "@ostinato/run";
import { afterEach, describe, expect, it } from "vitest";
import type { ReplayLine } from "../src/ledger/index.js";
import type { FakeUpload } from "./support/fake-worker.js";
import { TrialRun } from "./support/trial-run.js";
import type { TrialRunOptions } from "./support/trial-run.js";

const SETTINGS = {
  "optimizer.kind": "averagedSgd",
  // The learning rate stays 0.5, and nothing shrinks.
  "optimizer.lambda": 0,
  "optimizer.nonmonotonicInterval": 0,
  "checkpoints.everySteps": 1,
};

/** 12 steps, evaluated after every second one: that after step 6 is the first worse than one before it. */
const LOSSES: Readonly<Record<number, number>> = { 2: 4, 4: 3, 6: 5, 8: 2, 10: 1, 12: 6 };

const runs: TrialRun[] = [];

afterEach(() => {
  for (const run of runs.splice(0)) run.remove();
});

async function create(
  options: TrialRunOptions = {},
  upload: (step: number) => FakeUpload = () => ({}),
): Promise<TrialRun> {
  const settings = { ...SETTINGS, ...options.settings };
  const run = await TrialRun.create({ ...options, settings, epochs: 4 });
  runs.push(run);
  run.trial.join().serve((lease) => ({
    lossOf: () => LOSSES[lease.step] ?? 1,
    ...(lease.leaseKind === "train" ? upload(lease.step) : {}),
  }));
  return run;
}

/** After so many updates: gradients 1 + 2 + 4 + 8 over a weight of 8, rate 0.5. Exact in float32. */
const parametersAfter = (numUpdates: number): readonly number[] =>
  [1, 2, 3].map((start) => start - numUpdates * 0.5 * (15 / 8));

/** The mean of the parameters after each of these updates, of which there are 1, 2 or 4: exact as well. */
const meanOver = (updates: readonly number[]): readonly number[] =>
  [0, 1, 2].map(
    (i) => updates.reduce((sum, n) => sum + parametersAfter(n)[i]!, 0) / updates.length,
  );

const digestOf = (values: readonly number[]): string =>
  digestOfVersion({ parameters: Float32Array.from(values), statistics: new Float64Array(0) });

const evaluationsOf = async (run: TrialRun): Promise<readonly EvaluationRecord[]> =>
  (await run.ledger()).filter((entry) => entry.type === "evaluation");
const stepsOf = async (run: TrialRun): Promise<readonly StepRecord[]> =>
  (await run.ledger()).filter((entry) => entry.type === "step");

describe("averaged SGD with the non-monotonic trigger", () => {
  it("averages from the step after the evaluation that started it, and evaluates the average", async () => {
    const run = await create();
    await run.run();
    const evaluations = await evaluationsOf(run);
    const digests = evaluations.map(({ step, parameters }) => [step, parameters] as const);
    expect(digests.slice(0, 4)).toEqual([
      [2, digestOf(parametersAfter(2))],
      [4, digestOf(parametersAfter(4))],
      [6, digestOf(parametersAfter(6))],
      [8, digestOf(meanOver([7, 8]))],
    ]);
    expect(evaluations[4]?.parameters).toBe(digestOf(meanOver([7, 8, 9, 10])));
    const notices = run.events.flatMap((event) => (event.kind === "notice" ? [event.text] : []));
    expect(notices).toEqual([
      "the validation loss is worse than it was some evaluations ago: the parameters are averaged from step 7 on",
    ]);
  });

  it("trains on with the parameters themselves, and keeps both in its checkpoints", async () => {
    const run = await create();
    const { parametersSha256 } = await run.run();
    for (const { step, parameters } of await stepsOf(run)) {
      expect(parameters).toBe(digestOf(parametersAfter(step)));
    }
    const checkpoint = run.store.written.find(({ step }) => step === 10);
    expect([...(checkpoint?.parameters ?? [])]).toEqual(parametersAfter(10));
    expect([...(checkpoint?.optimizer.slots["average"] ?? [])]).toEqual(meanOver([7, 8, 9, 10]));
    expect(run.store.end?.parametersSha256).toBe(parametersSha256);
  });

  it("sends the average as a version of its own, beside the one that is trained", async () => {
    const run = await create();
    const worker = run.trial.join();
    worker.serve((lease) => ({ lossOf: () => LOSSES[lease.step] ?? 1 }));
    await run.run();
    const digests = new Map(
      worker
        .sent("parameters")
        .map(({ version, digest }) => [version, Buffer.from(digest).toString("hex")]),
    );
    // No version was sent with two contents.
    expect(digests.size).toBe(worker.sent("parameters").length);
    const leases = worker.sent("lease").map(({ lease }) => lease);
    for (const { leaseKind, step, version } of leases.filter(({ split }) => split !== "test")) {
      const trained = parametersAfter(leaseKind === "train" ? step - 1 : step);
      const isAverage = leaseKind === "evaluate" && step >= 8;
      if (!isAverage) expect(digests.get(version)).toBe(digestOf(trained));
      else expect(digests.get(version)).not.toBe(digestOf(trained));
    }
    expect(
      leases.filter(({ leaseKind, step }) => leaseKind === "evaluate" && step >= 8),
    ).not.toEqual([]);
  });

  it("evaluates the test part with the average of the best step", async () => {
    const run = await create();
    await run.run();
    const evaluations = await evaluationsOf(run);
    const best = evaluations.findLast((entry) => entry.best);
    expect(best?.step).toBe(10);
    expect(evaluations.at(-1)).toMatchObject({
      ...{ split: "test", step: 10, parameters: best?.parameters },
    });
  });

  it("counts updates: steps that are skipped have no share", async () => {
    const isSkipped = (step: number): boolean => [2, 7, 9].includes(step);
    const settings = { "training.onNonFinite": "skipStep" };
    const run = await create({ settings }, (step) =>
      isSkipped(step) ? { gradientOf: () => NaN } : {},
    );
    await run.run();
    const evaluations = await evaluationsOf(run);
    const at = (step: number): string | undefined =>
      evaluations.find((entry) => entry.step === step)?.parameters;
    // Step 6 makes update 5. Step 8 makes update 6, the first in the average; 10 and 12 make 7 and 9.
    expect(at(6)).toBe(digestOf(parametersAfter(5)));
    expect(at(8)).toBe(digestOf(parametersAfter(6)));
    expect(at(10)).toBe(digestOf(meanOver([6, 7])));
    expect(at(12)).toBe(digestOf(meanOver([6, 7, 8, 9])));
    expect(run.store.written.at(-1)?.progress.averaging).toMatchObject({
      ...{ startStep: 6, startUpdate: 5 },
    });
  });

  it("evaluates the parameters as long as every step was skipped", async () => {
    const settings = { "training.onNonFinite": "skipStep" };
    const run = await create({ settings }, (step) => (step < 4 ? { gradientOf: () => NaN } : {}));
    await run.run();
    expect((await evaluationsOf(run))[0]?.parameters).toBe(digestOf([1, 2, 3]));
  });

  it("starts by t0 where no evaluation is asked to", async () => {
    const settings = { "optimizer.nonmonotonicInterval": "null", "optimizer.t0": 3 };
    const run = await create({ settings });
    await run.run();
    const [second, fourth, sixth, eighth] = await evaluationsOf(run);
    expect(second?.parameters).toBe(digestOf(parametersAfter(2)));
    expect(fourth?.parameters).toBe(digestOf(parametersAfter(4)));
    expect(sixth?.parameters).toBe(digestOf(meanOver([5, 6])));
    expect(eighth?.parameters).toBe(digestOf(meanOver([5, 6, 7, 8])));
  });
});

describe("a resumed run with averaged SGD", () => {
  it("averages the same from every checkpoint, before, at and after the start", async () => {
    const settings = { "training.onNonFinite": "skipStep" };
    const upload = (step: number): FakeUpload =>
      [2, 7, 9].includes(step) ? { gradientOf: () => NaN } : {};
    const whole = await create({ settings }, upload);
    const { parametersSha256 } = await whole.run();
    const ledger = await whole.ledger();
    const average = whole.store.written.at(-1)?.optimizer.slots["average"];
    expect(whole.store.written.map(({ step }) => step)).toContain(7);
    for (const resumeFrom of whole.store.written) {
      const isRepeated = (
        entry: LedgerEntry,
      ): entry is (StepRecord | EvaluationRecord) & LedgerEntry =>
        (entry.type === "step" || entry.type === "evaluation") &&
        entry.offset > resumeFrom.position.offset;
      const replay = ledger.filter(isRepeated).map((entry): ReplayLine => ({
        record: entry,
        position: { head: entry.hash, offset: entry.offset },
      }));
      const resumed = await create({ settings, resumeFrom, replay }, upload);
      resumed.store.written.unshift(...whole.store.written.filter(({ isBest }) => isBest));
      // Steps and evaluations, whose digests have the average, are compared with their lines.
      expect(await resumed.run()).toMatchObject({ parametersSha256 });
      expect(resumed.store.written.at(-1)?.optimizer.slots["average"]).toEqual(average);
      expect((await resumed.ledger()).map(({ type }) => type)).toEqual(["end"]);
    }
  });
});
