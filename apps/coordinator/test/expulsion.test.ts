/** What becomes of the other results of a worker that is found to compute wrongly. */

import type { Lease } from "@ostinato/proto";
import { describe, expect, it, vi } from "vitest";
import type { FakeUpload, FakeWorker } from "./support/fake-worker.js";
import { collect, collectUsual, rootOf } from "./support/rounds.js";
import { Trial } from "./support/trial.js";

const ALL_EIGHT = 255;
const MILLION = 1e6;

/** One of its leaves is a million times too large; all others are wrong too, by what nobody can see. */
const wrong: FakeUpload = {
  gradientOf: (leaf) => (leaf === 4 ? MILLION * 2 ** leaf : 1.5 * 2 ** leaf),
  stateOf: () => -1,
};

/** Three workers of eight leaves: 0–1, 2–4 and 5–7. The second is wrong from step 4 on. */
function trialOfThree(): { readonly trial: Trial; readonly workers: readonly FakeWorker[] } {
  const trial = new Trial(8);
  return { trial, workers: [trial.join(), trial.join(), trial.join()] };
}

const leasesOf = (worker: FakeWorker, step: number): readonly Lease[] =>
  worker.sent("lease").flatMap(({ lease }) => (lease.step === step ? [lease] : []));

describe("a worker that is found to compute wrongly", () => {
  it("has nothing of what else it sent for the step count: others compute that again", async () => {
    const { trial, workers } = trialOfThree();
    const [, bad] = workers;
    for (const worker of workers) {
      worker.serve((lease) => (worker === bad && lease.step === 4 ? wrong : {}));
    }
    await collectUsual(trial);
    const round = await collect(trial, 4);
    expect(await rootOf(round)).toBe(ALL_EIGHT);
    expect(await trial.count("workers_quarantined_total")).toBe(1);
    expect(round.nodes().map(({ workerId }) => workerId)).not.toContain(bad?.id);
    expect([...round.states()].sort(([a], [b]) => a - b)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((leaf) => [leaf, Float32Array.of(40 + leaf)]),
    );
    // Leaves 2 and 3 are summed with 0 and 1, which can't be taken apart.
    expect(trial.notices).toContain(
      "step 4: what else worker-1-2 computed does not count: leaves 2, 3, and with it what it is in a sum " +
        "with: leaves 0, 1; all of that is computed again",
    );
    expect(round.lost.map(({ worker, leaves }) => [worker, leaves])).toEqual([
      [bad?.id, [4]],
      [bad?.id, [2, 3]],
      ["worker-1-1", [0, 1]],
    ]);
    expect(trial.gradients.numFree).toBe(trial.gradients.numAllocated - 1);
  });

  it("can't send it once more, nor is anybody to blame whose work is in a sum with its", async () => {
    const { trial, workers } = trialOfThree();
    const [first, bad, last] = workers;
    for (const worker of workers) worker.serve(({ step }) => (step === 4 ? undefined : {}));
    await collectUsual(trial);
    const round = trial.trainRound(4);
    const collected = trial.collect(round);
    const lease = (worker: FakeWorker | undefined): Promise<Lease> =>
      vi.waitFor(() => {
        const [found] = worker === undefined ? [] : leasesOf(worker, 4);
        if (found === undefined) throw new Error("no lease yet");
        return found;
      });
    const [ofFirst, ofBad, ofLast] = [await lease(first), await lease(bad), await lease(last)];
    expect(ofFirst.nodes).toEqual([{ firstLeaf: 0, numLeaves: 2 }]);
    if (bad !== undefined) {
      bad.stream.onSent = ({ kind }) => {
        if (kind === "stop") bad.upload(ofBad, { firstLeaf: 2, numLeaves: 2 }, wrong);
      };
    }
    // The last one has sent a part of its lease when all of the others' is in.
    last?.upload(ofLast, { firstLeaf: 6, numLeaves: 2 });
    bad?.complete(ofBad, wrong);
    first?.complete(ofFirst);
    for (const worker of [first, last, trial.join()]) worker?.serve();
    last?.upload(ofLast, { firstLeaf: 5, numLeaves: 1 });
    last?.end(ofLast);
    expect((await collected).kind).toBe("complete");
    expect(await rootOf(round)).toBe(ALL_EIGHT);
    expect(round.nodes().map(({ workerId }) => workerId)).not.toContain(bad?.id);
    expect(await trial.count("uploads_rejected_total", "staleLease")).toBe(1);
    expect(trial.notices.join("\n")).not.toContain("failed a lease");
    expect(await trial.count("workers_quarantined_total")).toBe(1);
  });
});
