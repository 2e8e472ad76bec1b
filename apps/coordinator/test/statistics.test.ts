/** Running statistics of batch normalization: what a run makes of the moments that its leaves send. */

import type { StatisticsLayout } from "@ostinato/lstm";
import type { StepRecord } from "@ostinato/run";
import { afterEach, describe, expect, it } from "vitest";
import type { ReplayLine } from "../src/ledger/index.js";
import type { FakeUpload } from "./support/fake-worker.js";
import { TrialRun } from "./support/trial-run.js";
import type { TrialRunOptions } from "./support/trial-run.js";

const STATISTICS: StatisticsLayout = {
  entries: [{ name: "layers.0.norm", size: 1, offset: 0 }],
  size: 2,
};

const runs: TrialRun[] = [];

afterEach(() => {
  for (const run of runs.splice(0)) run.remove();
});

async function create(options: TrialRunOptions = {}): Promise<TrialRun> {
  const settings = { "checkpoints.everySteps": 1, ...options.settings };
  const run = await TrialRun.create({ ...options, settings, statistics: STATISTICS });
  runs.push(run);
  return run;
}

/** Leaf 0 has the value 8·step twice, leaf 1 the value 4·step twice, the others have none. */
const momentsAt =
  (step: number) =>
  (leaf: number): readonly number[] =>
    leaf < 2 ? [2, (8 - 4 * leaf) * step, 0] : [0, 0, 0];

const upload = ({ step }: { readonly step: number }): FakeUpload => ({
  momentsOf: momentsAt(step),
});

const statisticsAfter = (run: TrialRun, step: number): readonly number[] => [
  ...(run.store.written.findLast((request) => request.step === step)?.statistics ?? []),
];

const stepsOf = async (run: TrialRun): Promise<readonly StepRecord[]> =>
  (await run.ledger()).filter((entry) => entry.type === "step");

describe("a run with batch normalization", () => {
  it("moves its running statistics by the moments of each step", async () => {
    const run = await create();
    run.trial.join().serve(upload);
    await run.run();
    // Four values a step: mean 6·step, squared distances 4·(2·step)² = 16·step², over 3.
    let [mean, variance] = [0, 1];
    expect(statisticsAfter(run, 0)).toEqual([mean, variance]);
    for (let step = 1; step <= 6; step++) {
      mean = 0.9 * mean + 0.1 * 6 * step;
      variance = 0.9 * variance + (0.1 * 16 * step ** 2) / 3;
      const [isMean = NaN, isVariance = NaN] = statisticsAfter(run, step);
      expect(isMean).toBeCloseTo(mean, 12);
      expect(isVariance).toBeCloseTo(variance, 12);
    }
  });

  it("has the same ones, and the same digests, whoever computes which leaf", async () => {
    // Values that no order of additions but the tree's gives the same sums of.
    const odd = ({ step }: { readonly step: number }): FakeUpload => ({
      momentsOf: (leaf) => [leaf + 1, Math.sin(9 * step + leaf), Math.cos(leaf) ** 2],
    });
    const results = [];
    for (const numWorkers of [1, 2, 3]) {
      const run = await create();
      for (let i = 0; i < numWorkers; i++) run.trial.join().serve(odd);
      await run.run();
      const digests = (await stepsOf(run)).map(({ parameters }) => parameters);
      results.push([statisticsAfter(run, 6), digests]);
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it("sends them with the version to whoever trains or evaluates with it", async () => {
    const run = await create();
    const worker = run.trial.join();
    worker.serve(upload);
    await run.run();
    const sent = worker
      .sent("frame")
      .filter(({ frame }) => frame.transferKind === "statistics")
      .map(({ frame }) => [...new Float64Array(Uint8Array.from(frame.payload).buffer)]);
    // Versions 0 to 6; the worker keeps a version for its evaluations.
    expect(sent.slice(0, 7)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((step) => statisticsAfter(run, step)),
    );
  });

  it("leaves them as they are in a step that is skipped", async () => {
    const run = await create({ settings: { "training.onNonFinite": "skipStep" } });
    run.trial.join().serve((lease) => ({
      ...upload(lease),
      gradientOf: (leaf) => (lease.step === 3 && leaf === 2 ? NaN : 1),
    }));
    await run.run();
    expect(statisticsAfter(run, 3)).toEqual(statisticsAfter(run, 2));
    const [, second, third] = await stepsOf(run);
    expect(third).toMatchObject({ skipped: "nonFinite", parameters: second?.parameters });
  });

  it("skips a step, or stops, for moments that are not finite together", async () => {
    const overflowing = (lease: { readonly step: number }): FakeUpload =>
      lease.step === 3 ? { momentsOf: (leaf) => [1, (-1) ** leaf * 1e308, 0] } : upload(lease);
    const skipping = await create({ settings: { "training.onNonFinite": "skipStep" } });
    skipping.trial.join().serve(overflowing);
    await skipping.run();
    expect(statisticsAfter(skipping, 3)).toEqual(statisticsAfter(skipping, 2));
    const stopping = await create();
    stopping.trial.join().serve(overflowing);
    await expect(stopping.run()).rejects.toThrow(/the step makes running statistic \d -?(Inf|NaN)/);
  });

  it("does not count what a revoked or superseded lease sent", async () => {
    const run = await create();
    const [first, second] = [run.trial.join(), run.trial.join()];
    // The first worker goes with its leaves undone, in every step that it gets some of.
    first.serve((lease) => (lease.step === 2 ? undefined : upload(lease)));
    second.serve(upload);
    const result = run.run();
    const lease = await first.lease(1);
    expect(lease.step).toBe(2);
    first.stream.drop();
    await result;
    const whole = await create();
    whole.trial.join().serve(upload);
    await whole.run();
    expect(statisticsAfter(run, 6)).toEqual(statisticsAfter(whole, 6));
  });
});

describe("a resumed run with batch normalization", () => {
  const replayFrom = async (run: TrialRun, step: number): Promise<readonly ReplayLine[]> =>
    (await run.ledger()).flatMap((entry): ReplayLine[] =>
      (entry.type === "step" || entry.type === "evaluation") && entry.step > step
        ? [{ record: entry, position: { head: entry.hash, offset: entry.offset } }]
        : [],
    );

  it("goes on from the statistics of its checkpoint to the same ones", async () => {
    const whole = await create();
    whole.trial.join().serve(upload);
    const { parametersSha256 } = await whole.run();
    for (const resumeFrom of whole.store.written.filter(({ step }) => [0, 3, 5].includes(step))) {
      const replay = await replayFrom(whole, resumeFrom.step);
      const resumed = await create({ resumeFrom, replay });
      resumed.store.written.unshift(...whole.store.written.filter(({ isBest }) => isBest));
      resumed.trial.join().serve(upload);
      expect(await resumed.run()).toMatchObject({ parametersSha256 });
      expect(statisticsAfter(resumed, 6)).toEqual(statisticsAfter(whole, 6));
    }
  });

  it("stops with a mismatch if they were other ones", async () => {
    const whole = await create();
    whole.trial.join().serve(upload);
    await whole.run();
    const checkpoint = whole.store.written.find(({ step }) => step === 3);
    if (checkpoint === undefined) throw new Error("no checkpoint");
    const replay = await replayFrom(whole, 3);
    const resumeFrom = { ...checkpoint, statistics: Float64Array.of(0, 1) };
    const resumed = await create({ resumeFrom, replay });
    resumed.trial.join().serve(upload);
    await expect(resumed.run()).rejects.toThrow(/^step 4 was repeated .* and parameters came out/);
  });
});
