/** A run's course: what is committed, in which order, and what survives a stop. */

import { WireError } from "@ostinato/proto";
import type { StepRecord } from "@ostinato/run";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ReplayLine } from "../src/ledger/index.js";
import type { FakeUpload } from "./support/fake-worker.js";
import { TrialRun } from "./support/trial-run.js";
import type { TrialRunOptions } from "./support/trial-run.js";

const runs: TrialRun[] = [];

afterEach(() => {
  for (const run of runs.splice(0)) run.remove();
});

async function create(options?: TrialRunOptions): Promise<TrialRun> {
  const run = await TrialRun.create(options);
  runs.push(run);
  return run;
}

const stepsOf = async (run: TrialRun): Promise<readonly StepRecord[]> =>
  (await run.ledger()).filter((entry) => entry.type === "step");

/** Validation losses 3, 2, 1, 2, …: the best evaluation of six steps is the one after the second. */
const bestAtStep2 = (step: number): number => (step === 2 ? 1 : 2);

describe("a run", () => {
  it("commits each step once, evaluates where due, and ends with the test part at the best", async () => {
    const run = await create();
    run.trial.join().serve((lease) => ({ lossOf: () => bestAtStep2(lease.step) }));
    const { outcome, step, parametersSha256 } = await run.run();
    expect([outcome, step]).toEqual(["completed", 6]);
    const ledger = await run.ledger();
    expect(ledger.map((entry) => `${entry.type} ${"step" in entry ? entry.step : ""}`)).toEqual([
      ...["step 1", "step 2", "evaluation 2", "step 3", "step 4", "evaluation 4"],
      ...["step 5", "step 6", "evaluation 6", "evaluation 2", "end 6"],
    ]);
    const evaluations = ledger.filter((entry) => entry.type === "evaluation");
    expect(evaluations.map(({ split, best }) => [split, best])).toEqual([
      ["validation", true],
      ["validation", false],
      ["validation", false],
      ["test", false],
    ]);
    const end = ledger.at(-1);
    expect(end).toMatchObject({ type: "end", best: { step: 2 }, parametersSha256 });
    expect(run.store.end).toMatchObject({ step: 6, parametersSha256 });
  });

  it("computes what the mathematics says: SGD on the mean of the leaves' sums", async () => {
    const run = await create({ stepsPerEpoch: 1, epochs: 1 });
    run.trial.join().serve();
    await run.run();
    // Gradients 1 + 2 + 4 + 8 over a weight of 4 leaves × 2 samples, learning rate 0.5.
    const moved = 0.5 * (15 / 8);
    const last = run.store.written.at(-1);
    expect([...(last?.parameters ?? [])]).toEqual([1 - moved, 2 - moved, 3 - moved]);
    const [step] = await stepsOf(run);
    expect(step).toMatchObject({ samples: 8, lossSum: 4, lossWeight: 8, loss: 0.5 });
    expect(step?.gradientNorm).toBeCloseTo(Math.sqrt(3) * (15 / 8), 12);
  });

  it("counts the time in which nobody is here as waiting, not as its steps'", async () => {
    const run = await create({ stepsPerEpoch: 1, epochs: 1 });
    const { trial } = run;
    const ended = run.run();
    await vi.waitFor(() => expect(trial.dispatcher.collecting).toBeDefined());
    trial.pass(3000);
    const first = trial.join();
    await first.lease(0);
    trial.pass(400);
    first.stream.drop(new WireError("unavailable", "killed"));
    trial.pass(2000);
    const second = trial.join();
    const lease = await second.lease(0);
    trial.pass(300);
    second.serve();
    second.complete(lease);
    await ended;
    const { values = [] } =
      (await trial.registry.getSingleMetric("ostinato_coordinator_step_seconds")?.get()) ?? {};
    const sum = values.find((value) =>
      (value as { metricName?: string }).metricName?.endsWith("_sum"),
    );
    expect(sum?.value).toBeCloseTo(0.7, 9);
    expect(await trial.count("worker_wait_seconds_total")).toBeCloseTo(5, 9);
  });

  it("writes one line a step to metrics.jsonl and goes on when it can't", async () => {
    const run = await create();
    run.trial.join().serve();
    await run.run();
    const lines = run.metricsLines.filter(({ type }) => type === "step");
    expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lines.every(({ skipped }) => skipped === false)).toBe(true);
  });

  it("begins each epoch with states of zeros and carries them on within it", async () => {
    const run = await create({ stepsPerEpoch: 2, epochs: 2 });
    const worker = run.trial.join();
    worker.serve();
    await run.run();
    const leases = worker.sent("lease").filter(({ lease }) => lease.leaseKind === "train");
    expect(leases.map(({ lease }) => lease.leaves[0]?.state)).toEqual([
      ...["zero", "held", "zero", "held"],
    ]);
  });
});

describe("a run that is stopped", () => {
  it("leaves a checkpoint of its last step, and takes no step more", async () => {
    const run = await create();
    const worker = run.trial.join();
    worker.serve((lease) => {
      if (lease.leaseKind === "train" && lease.step === 4) run.trial.abort.abort();
      return {};
    });
    const { outcome, step } = await run.run();
    expect([outcome, step]).toEqual(["stopped", 3]);
    expect(run.store.written.at(-1)).toMatchObject({ step: 3, optimizer: { stepCount: 3 } });
    expect(run.store.end).toBeUndefined();
  });

  it("in an evaluation that turns out the best, knows it after the resume", async () => {
    const run = await create();
    run.trial.join().serve((lease) => {
      if (lease.leaseKind === "evaluate") run.trial.abort.abort();
      return lease.leaseKind === "evaluate" ? undefined : {};
    });
    await run.run();
    const checkpoint = run.store.written.at(-1);
    expect(checkpoint).toMatchObject({ step: 2, isBest: false, progress: { best: null } });
    if (checkpoint === undefined) return;
    const resumed = await create({ resumeFrom: checkpoint });
    resumed.trial.join().serve((lease) => ({ lossOf: () => bestAtStep2(lease.step) }));
    await resumed.run();
    expect(resumed.store.written.filter(({ isBest }) => isBest).map(({ step }) => step)).toEqual([
      2,
    ]);
  });

  it("repeats the lost steps to the same bits, comparing them with their lines", async () => {
    const options = { settings: { "checkpoints.everySteps": 2 } };
    const whole = await create(options);
    whole.trial.join().serve();
    const { parametersSha256 } = await whole.run();
    const checkpoint = whole.store.written.find(({ step }) => step === 2);
    const ledger = await whole.ledger();
    const replay = ledger.flatMap((entry): ReplayLine[] =>
      entry.type === "step" && entry.step > 2 && entry.step <= 5
        ? [{ record: entry, position: { head: entry.hash, offset: entry.offset } }]
        : [],
    );
    if (checkpoint === undefined) throw new Error("no checkpoint");
    const resumed = await create({ ...options, resumeFrom: checkpoint, replay });
    resumed.trial.join().serve();
    resumed.trial.join().serve();
    expect(await resumed.run()).toMatchObject({ outcome: "completed", parametersSha256 });
    expect((await stepsOf(resumed)).map(({ step }) => step)).toEqual([6]);
    const replayed = resumed.events.filter((event) => event.kind === "step" && event.replayed);
    expect(replayed).toHaveLength(3);
  });

  it("stops for good when a repeated step comes out differently", async () => {
    const whole = await create({ settings: { "checkpoints.everySteps": 2 } });
    whole.trial.join().serve();
    await whole.run();
    const checkpoint = whole.store.written.find(({ step }) => step === 2);
    const third = (await stepsOf(whole)).find(({ step }) => step === 3);
    if (checkpoint === undefined || third === undefined) throw new Error("no checkpoint");
    const position = { head: "0".repeat(64), offset: 1 };
    const replay: ReplayLine[] = [{ record: third, position }];
    const resumed = await create({ resumeFrom: checkpoint, replay });
    resumed.trial.join().serve((lease) => (lease.step === 3 ? { gradientOf: () => 7 } : {}));
    const failed = resumed.run();
    await expect(failed).rejects.toMatchObject({ code: "replayMismatch" });
    await expect(failed).rejects.toThrow(/^step 3 was repeated after a resume and gradientNorm/);
    expect(await stepsOf(resumed)).toEqual([]);
  });
});

describe("a step that is not finite", () => {
  const nanAt =
    (step: number) =>
    (lease: { readonly step: number; readonly leaseKind: string }): FakeUpload =>
      lease.step === step && lease.leaseKind === "train"
        ? { gradientOf: (leaf) => (leaf === 2 ? NaN : 1) }
        : {};

  it("stops the run, naming step and samples; what was being written is finished", async () => {
    const run = await create({ settings: { "checkpoints.everySteps": 1 } });
    let release: () => void = () => undefined;
    run.store.beforeWrite = (step) =>
      step === 2 ? new Promise((resolve) => (release = resolve)) : Promise.resolve();
    run.trial.join().serve(nanAt(3));
    const failed = run.run();
    await vi.waitFor(async () => expect(await stepsOf(run)).toHaveLength(2));
    await vi.waitFor(async () =>
      expect(await run.trial.count("uploads_rejected_total", "nonFinite")).toBe(2),
    );
    release();
    await expect(failed).rejects.toMatchObject({ code: "nonFinite" });
    await expect(failed).rejects.toThrow(
      /^step 3: the result of leaves 0, 1, 2, 3 is not finite .*same on every try.*samples of 2/,
    );
    expect(run.store.written.map(({ step }) => step)).toContain(2);
  });

  it("is left out with skipStep: the same parameters, one canonical line, and everybody hears", async () => {
    const run = await create({ settings: { "training.onNonFinite": "skipStep" } });
    run.trial.join().serve(nanAt(2));
    expect(await run.run()).toMatchObject({ outcome: "completed", step: 6 });
    const [first, second] = await stepsOf(run);
    expect(second).toMatchObject({
      step: 2,
      skipped: "nonFinite",
      parameters: first?.parameters,
      samples: 0,
      lossSum: null,
      lossWeight: 0,
      loss: null,
      gradientNorm: null,
      nodes: [],
      leaves: [],
    });
    const event = run.events.find((candidate) => candidate.kind === "step" && candidate.skipped);
    expect(event).toMatchObject({ step: 2 });
    expect(run.metricsLines.filter(({ skipped }) => skipped === true)).toHaveLength(1);
    expect(await run.trial.count("steps_total", "skipped")).toBe(1);
  });

  it("by the sum alone, and not in any part of it, is told as what it is", async () => {
    const run = await create();
    // Two leaves each: 3e38 is a float32, twice as much is not.
    for (let i = 0; i < 2; i++) run.trial.join().serve(() => ({ gradientOf: () => 1.5e38 }));
    await expect(run.run()).rejects.toThrow(/not finite \(the gradient norm is Infinity\)/);
  });

  it("by the update can't be left out: the optimizer has moved on", async () => {
    const settings = { "training.onNonFinite": "skipStep", "optimizer.learningRate": 1e38 };
    const run = await create({ settings });
    run.trial.join().serve(() => ({ gradientOf: () => 100 }));
    await expect(run.run()).rejects.toThrow(/the update makes parameter 0 -Infinity/);
    expect(await stepsOf(run)).toEqual([]);
  });
});

describe("a step none of whose targets counts", () => {
  /** All leaves say so, of step 2. */
  const emptyAt2 = (lease: { readonly step: number }): FakeUpload =>
    lease.step !== 2
      ? {}
      : {
          lossOf: () => 0,
          change: (message) =>
            message.kind === "uploadEnd"
              ? { ...message, leaves: message.leaves.map((leaf) => ({ ...leaf, lossWeight: 0 })) }
              : message,
        };

  it("is committed with a gradient of 0: its samples are used, the parameters stay", async () => {
    const run = await create({ lossWeightAt: ({ step }) => (step === 2 ? 0 : 8) });
    run.trial.join().serve(emptyAt2);
    expect(await run.run()).toMatchObject({ outcome: "completed", step: 6 });
    const [first, second, third] = await stepsOf(run);
    // Plain SGD without weight decay: the fake worker's gradients are not 0, but over nothing.
    expect(second).toMatchObject({
      ...{ skipped: null, samples: 8, lossSum: 0, lossWeight: 0, loss: null, gradientNorm: 0 },
      parameters: first?.parameters,
    });
    expect(second?.leaves).toHaveLength(4);
    expect(third?.parameters).not.toBe(first?.parameters);
    expect(run.store.written.at(-1)?.optimizer.stepCount).toBe(6);
    expect(run.metricsLines.find(({ step }) => step === 2)).toMatchObject({ skipped: false });
    expect(await run.trial.count("train_loss")).toBe(0.5);
  });

  it("is not taken for one on the word of the workers", async () => {
    const run = await create();
    run.trial.join().serve(emptyAt2);
    await expect(run.run()).rejects.toThrow(
      "step 2: the loss weights that the workers sent sum to 0, not 8",
    );
  });
});

describe("an evaluation that is not finite", () => {
  const lossOf = (leaf: number): number => (leaf === 1 ? NaN : 1);

  it("stops the run and names the leaves", async () => {
    const run = await create();
    run.trial.join().serve((lease) => (lease.leaseKind === "evaluate" ? { lossOf } : {}));
    await expect(run.run()).rejects.toThrow(
      /^the validation loss at step 2 is not finite, in leaves 1, the same on every try/,
    );
  });

  it("with skipStep is recorded as it is, and is never the best", async () => {
    const run = await create({ settings: { "training.onNonFinite": "skipStep" } });
    run.trial.join().serve((lease) => (lease.leaseKind === "evaluate" ? { lossOf } : {}));
    await run.run();
    const ledger = await run.ledger();
    const evaluations = ledger.filter((entry) => entry.type === "evaluation");
    expect(evaluations.length).toBe(4);
    for (const entry of evaluations) expect(entry).toMatchObject({ loss: null, best: false });
    expect(ledger.at(-1)).toMatchObject({ type: "end", best: null });
  });
});

describe("a checkpoint that can't be written", () => {
  it("does not stop training, if a later one can", async () => {
    const run = await create({ settings: { "checkpoints.everySteps": 1 } });
    run.store.beforeWrite = (step) =>
      step === 3 ? Promise.reject(new Error("the disk is full")) : Promise.resolve();
    run.trial.join().serve();
    expect(await run.run()).toMatchObject({ outcome: "completed" });
    expect(run.events).toContainEqual({
      kind: "notice",
      level: "warn",
      text: "3: the disk is full",
    });
  });
});

describe("what the coordinator is at itself", () => {
  it("is nothing while it collects, and what it writes while the end waits for storage", async () => {
    const run = await create();
    let release: () => void = () => undefined;
    run.store.beforeWrite = (step) =>
      step === 6 ? new Promise((resolve) => (release = resolve)) : Promise.resolve();
    const ended = run.run();
    await vi.waitFor(() => expect(run.trial.dispatcher.collecting).toMatchObject({ step: 1 }));
    expect(run.trainer.ownWork).toBeUndefined();
    run.trial.clock.advance(7);
    run.trial.join().serve();
    await vi.waitFor(() =>
      expect(run.trainer.ownWork).toEqual({
        subject: "the end of the run",
        what: "the newest checkpoint is being written",
        kind: "storage",
        sinceMs: 7,
      }),
    );
    release();
    expect(await ended).toMatchObject({ outcome: "completed" });
    expect(run.trainer.ownWork).toBeUndefined();
  });

  it("ends with the first error that is not the run's own, whatever it is at then", async () => {
    const run = await create();
    run.trial.dispatcher.fail(new Error("unexpected: a bug"));
    run.trial.join().serve();
    await expect(run.run()).rejects.toThrow("unexpected: a bug");
    expect(run.store.written.map(({ step }) => step)).toEqual([0]);
  });
});
