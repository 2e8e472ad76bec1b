/** What a run decides from its evaluations, and that a resumed run decides the same. */

import type { LedgerEntry } from "@ostinato/run";
import { afterEach, describe, expect, it } from "vitest";
import type { CheckpointRequest } from "../src/checkpoints/index.js";
import type { ReplayLine } from "../src/ledger/index.js";
import { TrialRun } from "./support/trial-run.js";
import type { TrialRunOptions } from "./support/trial-run.js";

const runs: TrialRun[] = [];

afterEach(() => {
  for (const run of runs.splice(0)) run.remove();
});

/** A run of 12 steps, evaluated after every second one, whose losses are given by step. */
async function create(
  lossAt: (step: number) => number,
  options: Omit<TrialRunOptions, "epochs">,
): Promise<TrialRun> {
  const run = await TrialRun.create({ ...options, epochs: 4 });
  runs.push(run);
  run.trial.join().serve((lease) => ({ lossOf: () => lossAt(lease.step) }));
  return run;
}

const PLATEAU = {
  "optimizer.schedule.kind": "plateau",
  "optimizer.schedule.patience": 0,
  "optimizer.schedule.factor": 0.5,
};
const EARLY_STOPPING = { "training.earlyStopping.patience": 3 };

/**
 * By step: 2 and 4 are improvements; 6 is none, so the rate is halved; 8 and 10 are none, so it is
 * halved twice more, and 10 is the third in a row.
 */
const stuckAfterStep4 = (step: number): number => (step < 4 ? 4 : 3);

const ratesOf = (entries: readonly LedgerEntry[]): Record<number, number> =>
  Object.fromEntries(
    entries.flatMap((entry) => (entry.type === "step" ? [[entry.step, entry.learningRate]] : [])),
  );

describe("reduce on plateau", () => {
  it("lowers the learning rate of the steps after the evaluation that was no better", async () => {
    const lossAt = (step: number): number => ({ 2: 4, 4: 3, 6: 3, 8: 2, 10: 2 })[step] ?? 1;
    const run = await create(lossAt, { settings: PLATEAU });
    await run.run();
    expect(ratesOf(await run.ledger())).toEqual({
      ...{ 1: 0.5, 2: 0.5, 3: 0.5, 4: 0.5, 5: 0.5, 6: 0.5 },
      ...{ 7: 0.25, 8: 0.25, 9: 0.25, 10: 0.25 },
      ...{ 11: 0.125, 12: 0.125 },
    });
    const notices = run.events.flatMap((event) => (event.kind === "notice" ? [event.text] : []));
    expect(notices).toEqual([
      "the validation loss does not fall any more: from step 7 on the learning rate is multiplied with 0.5",
      "the validation loss does not fall any more: from step 11 on the learning rate is multiplied with 0.25",
    ]);
  });

  it("updates the parameters with it, not only the ledger", async () => {
    const lossAt = (): number => 1;
    const run = await create(lossAt, { settings: { ...PLATEAU, "checkpoints.everySteps": 1 } });
    await run.run();
    const first = run.store.written.map(({ parameters }) => parameters[0] ?? NaN);
    // Gradients 1 + 2 + 4 + 8 over a weight of 8, rate 0.5; halved after the evaluations 4, 6, 8, 10.
    const moved = first.slice(1).map((value, i) => (first[i] ?? NaN) - value);
    const expected = [1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16].map((by) => (0.5 * (15 / 8)) / by);
    for (const [i, by] of expected.entries()) expect(moved[i]).toBeCloseTo(by, 5);
  });
});

describe("early stopping", () => {
  it("ends the run as if its epochs were over, and says why", async () => {
    const run = await create(stuckAfterStep4, { settings: EARLY_STOPPING });
    const result = await run.run();
    expect(result).toMatchObject({ outcome: "completed", step: 10, stopReason: "earlyStopping" });
    const ledger = await run.ledger();
    expect(ledger.slice(-3)).toMatchObject([
      { type: "evaluation", split: "validation", step: 10, best: false },
      { type: "evaluation", split: "test", step: 4 },
      { type: "end", step: 10, stopReason: "earlyStopping", best: { step: 4 } },
    ]);
    expect(Object.keys(ratesOf(ledger))).toHaveLength(10);
    expect(run.store.written.at(-1)).toMatchObject({ step: 10 });
    expect(run.store.end).toMatchObject({ step: 10 });
    expect(run.events).toContainEqual({
      kind: "notice",
      level: "info",
      text: "training ends early at step 10: 3 evaluations in a row were no better than the best before them",
    });
  });

  it("does nothing to a run that goes on getting better", async () => {
    const run = await create((step) => 20 - step, { settings: EARLY_STOPPING });
    expect(await run.run()).toMatchObject({ step: 12, stopReason: null });
    expect((await run.ledger()).at(-1)).toMatchObject({ type: "end", stopReason: null });
  });
});

describe("a resumed run", () => {
  const settings = { ...PLATEAU, ...EARLY_STOPPING, "checkpoints.everySteps": 1 };

  /** What the ledger had beyond a checkpoint, up to and without the first record that is cut off. */
  const replayOf = (
    ledger: readonly LedgerEntry[],
    { position }: CheckpointRequest,
    isCutOff: (entry: LedgerEntry) => boolean,
  ): readonly ReplayLine[] => {
    const cut = ledger.findIndex(isCutOff);
    return ledger.slice(0, cut).flatMap((entry): ReplayLine[] => {
      const isCommit = entry.type === "step" || entry.type === "evaluation" || entry.type === "end";
      if (!isCommit || entry.offset <= position.offset) return [];
      return [{ record: entry, position: { head: entry.hash, offset: entry.offset } }];
    });
  };

  it("decides the same from every checkpoint, also where nothing was left but to end", async () => {
    const whole = await create(stuckAfterStep4, { settings });
    const { parametersSha256 } = await whole.run();
    const ledger = await whole.ledger();
    const end = ledger.at(-1);
    expect(ratesOf(ledger)).toMatchObject({ 6: 0.5, 7: 0.25, 8: 0.25, 9: 0.125, 10: 0.125 });
    const steps = whole.store.written.map(({ step }) => step);
    expect(steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const resumeFrom of whole.store.written) {
      const best = whole.store.written.filter(({ step }) => step === 4);
      const replay = replayOf(ledger, resumeFrom, ({ type }) => type === "end");
      const resumed = await create(stuckAfterStep4, { settings, resumeFrom, replay });
      resumed.store.written.unshift(...best);
      expect(await resumed.run()).toMatchObject({ step: 10, parametersSha256 });
      const own = await resumed.ledger();
      // All else was repeated and compared with its line.
      expect(own).toMatchObject([{ type: "end", step: 10, stopReason: "earlyStopping" }]);
      expect(end).toMatchObject({ parametersSha256 });
    }
  });

  it("that was killed between an evaluation and the next checkpoint decides it again", async () => {
    const whole = await create(stuckAfterStep4, { settings });
    const { parametersSha256 } = await whole.run();
    const ledger = await whole.ledger();
    // The evaluation after step 6, which halves the rate, is in the ledger; no checkpoint has it.
    const resumeFrom = whole.store.written.find(({ step }) => step === 5);
    if (resumeFrom === undefined) throw new Error("no checkpoint");
    expect(resumeFrom.progress).toMatchObject({ evaluatedStep: 4, learningRateFactor: 1 });
    const isStep7 = (entry: LedgerEntry): boolean => entry.type === "step" && entry.step === 7;
    const replay = replayOf(ledger, resumeFrom, isStep7);
    expect(replay.map(({ record }) => `${record.type} ${record.step}`)).toEqual([
      ...["step 6", "evaluation 6"],
    ]);
    const resumed = await create(stuckAfterStep4, { settings, resumeFrom, replay });
    resumed.store.written.push(...whole.store.written.filter(({ step }) => step === 4));
    expect(await resumed.run()).toMatchObject({ step: 10, parametersSha256 });
    expect(ratesOf(await resumed.ledger())).toEqual({ 7: 0.25, 8: 0.25, 9: 0.125, 10: 0.125 });
  });

  it("would stop with a mismatch if it had forgotten what was decided", async () => {
    const whole = await create(stuckAfterStep4, { settings });
    await whole.run();
    const ledger = await whole.ledger();
    const checkpoint = whole.store.written.find(({ step }) => step === 8);
    if (checkpoint === undefined) throw new Error("no checkpoint");
    const forgotten = { ...checkpoint.progress, learningRateFactor: 1 };
    const resumeFrom = { ...checkpoint, progress: forgotten };
    const replay = replayOf(ledger, resumeFrom, ({ type }) => type === "end");
    const resumed = await create(stuckAfterStep4, { settings, resumeFrom, replay });
    await expect(resumed.run()).rejects.toThrow(
      /^step 9 was repeated .* learningRate came out as 0.5/,
    );
  });
});
