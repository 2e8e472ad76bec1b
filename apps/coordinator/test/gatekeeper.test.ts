/** Whose fault an odd gradient is: real sessions, injected clock, every worker's results the test's own. */

import { WireError } from "@ostinato/proto";
import type { Lease } from "@ostinato/proto";
import { describe, expect, it, vi } from "vitest";
import type { TrainRound } from "../src/training/index.js";
import type { FakeUpload, FakeWorker } from "./support/fake-worker.js";
import { collect, collectUsual, rootOf } from "./support/rounds.js";
import { DEADLINE_MS, Trial } from "./support/trial.js";

const ALL_FOUR = 15;
const MILLION = 1e6;

const right: FakeUpload = {};
const huge: FakeUpload = { gradientOf: (leaf) => MILLION * 2 ** leaf };
/** The lowest bit of one value of the gradient. */
const bitFlipped: FakeUpload = { gradientOf: (leaf) => 2 ** leaf * (1 + 2 ** -23) };

/** What a worker sends from a step on; before it what is right. */
const from =
  (step: number, upload: FakeUpload) =>
  (lease: Lease): FakeUpload =>
    lease.step >= step ? upload : right;

const counts = async (trial: Trial): Promise<Readonly<Record<string, number>>> => ({
  suspects: await trial.count("suspects_total"),
  audits: await trial.count("audits_total"),
  agreed: await trial.count("verdicts_total", "agreed"),
  data: await trial.count("verdicts_total", "data"),
  machine: await trial.count("verdicts_total", "machine"),
  inconclusive: await trial.count("verdicts_total", "inconclusive"),
  undecided: await trial.count("verdicts_total", "undecided"),
  quarantined: await trial.count("workers_quarantined_total"),
});
const NOTHING = {
  ...{ suspects: 0, audits: 0, agreed: 0, data: 0, machine: 0, inconclusive: 0, undecided: 0 },
  quarantined: 0,
};

/** All buffers but the root's, which the test took. */
function expectNoneHeld(trial: Trial): void {
  expect(trial.gradients.numFree).toBe(trial.gradients.numAllocated - 1);
}

const checksOf = (worker: FakeWorker): readonly Lease[] =>
  worker
    .sent("lease")
    .map(({ lease }) => lease)
    .filter(({ nodes }) => nodes.length > 1 && nodes.every(({ numLeaves }) => numLeaves === 1));

describe("a gradient whose norm is far off", () => {
  it("is a bad machine's when two others compute other bits, alike: it is quarantined, theirs counts", async () => {
    const trial = new Trial();
    const workers = [trial.join(), trial.join(), trial.join()];
    const [, , bad] = workers;
    for (const worker of workers) worker.serve(worker === bad ? from(4, huge) : undefined);
    await collectUsual(trial);
    const round = await collect(trial, 4);
    expect(await rootOf(round)).toBe(ALL_FOUR);
    await vi.waitFor(() => expect(bad?.sent("stop")).toHaveLength(1));
    expect(bad?.sent("stop")[0]?.reason).toMatch(
      /^worker-1-3 is quarantined: step 4, leaves 2–3 \(an odd norm\): its result has digest [0-9a-f]{12}, what worker-1-\d and worker-1-\d computed alike has [0-9a-f]{12}$/,
    );
    expect(trial.notices).toContain(bad?.sent("stop")[0]?.reason);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, machine: 1, quarantined: 1 });
    expect(round.lost).toMatchObject([{ worker: bad?.id, leaves: [2, 3] }]);
    expect(round.nodes().map(({ workerId }) => workerId)).not.toContain(bad?.id);
    expect([...round.states()].sort()).toEqual(
      [0, 1, 2, 3].map((leaf) => [leaf, Float32Array.of(40 + leaf)]),
    );
    expectNoneHeld(trial);
  });

  it("is the data's when another worker computes the same bits: it counts, and the samples are named", async () => {
    const trial = new Trial();
    const workers = [trial.join(), trial.join(), trial.join()];
    const outlier: FakeUpload = { gradientOf: (leaf) => (leaf === 3 ? MILLION : 2 ** leaf) };
    for (const worker of workers) worker.serve(from(4, outlier));
    await collectUsual(trial);
    const round = await collect(trial, 4);
    expect(await rootOf(round)).toBe(MILLION + 7);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, data: 1 });
    expect(trial.notices.at(-1)).toMatch(
      /^step 4, leaves 2–3: the gradient has \d+ times the usual norm; worker-1-3 and worker-1-1 computed the same bits: it is the data \(or the model\), no machine; samples of 4\/3; it counts as it is$/,
    );
    // It was computed again leaf by leaf.
    expect(checksOf(workers[0]!).map(({ nodes }) => nodes)).toEqual([
      [2, 3].map((firstLeaf) => ({ firstLeaf, numLeaves: 1 })),
    ]);
    expect(round.lost).toEqual([]);
    expectNoneHeld(trial);
  });

  it("accuses nobody when all of the step's are: nothing is computed twice", async () => {
    const trial = new Trial();
    for (const worker of [trial.join(), trial.join(), trial.join()]) worker.serve(from(4, huge));
    await collectUsual(trial);
    expect(await rootOf(await collect(trial, 4))).toBe(ALL_FOUR * MILLION);
    expect(await counts(trial)).toEqual(NOTHING);
    expect(trial.gradients.numAllocated).toBeLessThanOrEqual(4);
  });

  it("is found in the first step as well, by its peers", async () => {
    const trial = new Trial();
    const workers = [trial.join(), trial.join(), trial.join()];
    for (const worker of workers) worker.serve(worker === workers[1] ? () => huge : undefined);
    expect(await rootOf(await collect(trial, 1))).toBe(ALL_FOUR);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, machine: 1, quarantined: 1 });
  });

  it("does not get the one accused that computes it again wrongly", async () => {
    const trial = new Trial();
    const [odd, wrong, third] = [trial.join(), trial.join(), trial.join()];
    // The data of leaf 0 are odd, and the worker that checks it errs.
    const outlier = (leaf: number): number => (leaf === 0 ? MILLION : 2 ** leaf);
    odd.serve(from(4, { gradientOf: outlier }));
    third.serve(from(4, { gradientOf: outlier }));
    wrong.serve(from(4, { gradientOf: (leaf) => (leaf === 0 ? 1 : 2 ** leaf) }));
    await collectUsual(trial);
    expect(await rootOf(await collect(trial, 4))).toBe(MILLION + 14);
    expect(await counts(trial)).toMatchObject({ suspects: 1, data: 1, machine: 1, quarantined: 1 });
    await vi.waitFor(() => expect(wrong.sent("stop")).toHaveLength(1));
    expect([...odd.sent("stop"), ...third.sent("stop")]).toEqual([]);
  });

  it("is computed twice by a worker that is alone, and counts if it is the same", async () => {
    const trial = new Trial();
    const alone = trial.join();
    alone.serve(from(4, huge));
    await collectUsual(trial);
    expect(await rootOf(await collect(trial, 4))).toBe(ALL_FOUR * MILLION);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, data: 1 });
    expect(trial.notices.at(-1)).toContain("worker-1-1, alone, computed the same bits again");
    // From now on that is the usual.
    const round = await collect(trial, 5);
    expect(await rootOf(round)).toBe(ALL_FOUR * MILLION);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, data: 1 });
  });

  it("sends a lone worker away that gives another result the second time; the next one finishes the step", async () => {
    const trial = new Trial();
    const alone = trial.join();
    let numTries = 0;
    alone.serve((lease) => (lease.step === 4 && numTries++ === 0 ? huge : right));
    await collectUsual(trial);
    const collected = collect(trial, 4);
    await vi.waitFor(() => expect(alone.sent("stop")).toHaveLength(1));
    expect(alone.sent("stop")[0]?.reason).toMatch(
      /worker-1-1 is quarantined: step 4, leaves 0–3 \(an odd norm\): computed twice, its results have digests [0-9a-f]{12} and [0-9a-f]{12}/,
    );
    expect(trial.dispatcher.collecting?.gate).toMatchObject({
      what: "a worker that computes leaves 0–3 once more, to compare them (an odd norm)",
      next: "the next one that ends its lease, or joins, gets it",
    });
    trial.join().serve();
    expect(await rootOf(await collected)).toBe(ALL_FOUR);
    expectNoneHeld(trial);
  });

  it("is asked of another when the worker that computes it again dies", async () => {
    const trial = new Trial();
    const [bad, dying] = [trial.join(), trial.join()];
    bad.serve(from(4, huge));
    dying.serve((lease) => (lease.nodes.length > 1 && lease.step === 4 ? undefined : right));
    await collectUsual(trial);
    const collected = collect(trial, 4);
    const check = await vi.waitFor(() => {
      const [lease] = checksOf(dying);
      if (lease === undefined) throw new Error("no check");
      return lease;
    });
    // Half of it is in.
    dying.upload(check, { firstLeaf: 0, numLeaves: 1 });
    for (const _ of [1, 2]) trial.join().serve();
    dying.stream.drop(new WireError("unavailable", "reset"));
    const round = await collected;
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(await counts(trial)).toMatchObject({ machine: 1, quarantined: 1 });
    // What the dead one had of the check is no loss of the step's.
    expect(round.lost.map(({ worker }) => worker)).toEqual([bad.id]);
    expectNoneHeld(trial);
  });

  it("is judged by the others when its worker is gone before the step's last result comes", async () => {
    const trial = new Trial();
    const [bad, last, third] = [trial.join(), trial.join(), trial.join()];
    const upTo3 = (lease: Lease): FakeUpload | undefined => (lease.step < 4 ? right : undefined);
    bad.serve(upTo3);
    let withheld: Lease | undefined;
    last.serve((lease) => {
      if (lease.step < 4 || withheld !== undefined) return right;
      withheld = lease;
      return undefined;
    });
    third.serve();
    await collectUsual(trial);
    const collected = collect(trial, 4);
    const [ofBad, ofLast] = await vi.waitFor(() => {
      const lease = bad.sent("lease").at(-1)?.lease;
      if (lease?.step !== 4 || withheld === undefined) throw new Error("no leases of step 4");
      return [lease, withheld];
    });
    bad.complete(ofBad, huge);
    bad.stream.drop(new WireError("unavailable", "killed"));
    last.complete(ofLast, right);
    const round = await collected;
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(await counts(trial)).toMatchObject({ suspects: 1, machine: 1 });
    expectNoneHeld(trial);
  });

  it("is not admitted on the word of a result that is not finite", async () => {
    const trial = new Trial();
    const [bad, nan, third] = [trial.join(), trial.join(), trial.join()];
    bad.serve(from(4, huge));
    for (const worker of [third, trial.join()]) worker.serve();
    // Four workers, a leaf each: it is asked to check the first one's.
    nan.serve((lease) =>
      lease.step === 4 && lease.nodes[0]?.firstLeaf === 0 ? { gradientOf: () => NaN } : right,
    );
    await collectUsual(trial);
    expect(await rootOf(await collect(trial, 4))).toBe(ALL_FOUR);
    expect(await counts(trial)).toMatchObject({ suspects: 1, machine: 2, quarantined: 2 });
    expect(trial.notices.join("\n")).toMatch(
      /worker-1-2 is quarantined.*digest not finite, [0-9a-f]+,/,
    );
  });
});

describe("a check that is late", () => {
  const outlier: FakeUpload = { gradientOf: (leaf) => (leaf === 0 ? MILLION : 2 ** leaf) };

  /** The data of leaf 0 are odd; of four workers the second is asked to check them, and does not. */
  async function lateCheck(whileLate: (trial: Trial) => void = () => undefined): Promise<{
    readonly trial: Trial;
    readonly slow: FakeWorker;
    readonly late: Lease;
    readonly helper: FakeWorker;
    readonly collected: Promise<TrainRound>;
  }> {
    const trial = new Trial();
    const [first, slow, helper, last] = [trial.join(), trial.join(), trial.join(), trial.join()];
    const isCheck = ({ step, nodes }: Lease): boolean => step === 4 && nodes[0]?.firstLeaf === 0;
    for (const worker of [first, last]) worker.serve(from(4, outlier));
    for (const worker of [slow, helper]) {
      worker.serve((lease) => (isCheck(lease) ? undefined : from(4, outlier)(lease)));
    }
    await collectUsual(trial);
    const collected = collect(trial, 4);
    const late = await slow.lease(4);
    expect(isCheck(late)).toBe(true);
    // A sixteenth of the deadline, as leases took no time until now.
    trial.pass(DEADLINE_MS / 20);
    expect(helper.sent("lease")).toHaveLength(4);
    whileLate(trial);
    trial.pass(DEADLINE_MS / 20);
    return { trial, slow, late, helper, collected };
  }

  it("is asked of a second worker, whose result decides if it is first", async () => {
    const { trial, slow, late, helper, collected } = await lateCheck();
    const second = await helper.lease(4);
    expect(second.nodes).toEqual(late.nodes);
    expect(await trial.count("second_leases_total")).toBe(1);
    helper.complete(second, outlier);
    expect(await rootOf(await collected)).toBe(MILLION + 14);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, data: 1 });
    await vi.waitFor(() =>
      expect(slow.sent("revoke")).toMatchObject([
        { fence: late.fence, reason: "another worker was first" },
      ]),
    );
    expectNoneHeld(trial);
  });

  it("is no second lease where none can be granted", async () => {
    const { trial, helper, collected } = await lateCheck((late) => {
      late.requireHeld = () => {
        throw new Error("another coordinator has the run");
      };
    });
    await expect(collected).rejects.toThrow("another coordinator has the run");
    expect(helper.sent("lease")).toHaveLength(4);
    expect(await trial.count("second_leases_total")).toBe(0);
  });

  it("decides all the same if it comes before the second", async () => {
    const { trial, slow, late, helper, collected } = await lateCheck();
    const second = await helper.lease(4);
    slow.complete(late, outlier);
    expect(await rootOf(await collected)).toBe(MILLION + 14);
    await vi.waitFor(() => expect(helper.sent("revoke")).toMatchObject([{ fence: second.fence }]));
    helper.complete(second, outlier);
    expect(await trial.count("uploads_rejected_total", "staleStep")).toBe(1);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, data: 1 });
    expectNoneHeld(trial);
  });
});

describe("two workers that disagree, each with the same result twice", () => {
  function trialOfTwo(): { readonly trial: Trial; readonly bad: FakeWorker } {
    const trial = new Trial();
    const [bad, good] = [trial.join(), trial.join()];
    bad.serve(from(4, huge));
    good.serve();
    return { trial, bad };
  }

  it("are told apart by a third that comes", async () => {
    const { trial, bad } = trialOfTwo();
    await collectUsual(trial);
    const collected = collect(trial, 4);
    await vi.waitFor(() =>
      expect(trial.notices.at(-1)).toMatch(
        /^step 4, leaves 0–1 \(an odd norm\): workers disagree \(worker-1-1 [0-9a-f]{12} twice, worker-1-2 [0-9a-f]{12} twice\): another worker is needed to tell who is right; without it the run ends in 2.0 s$/,
      ),
    );
    trial.pass(DEADLINE_MS);
    const { gate } = trial.dispatcher.collecting ?? {};
    expect(gate?.what).toMatch(
      /^another worker to tell whose result of leaves 0–1 is right: worker-1-1 /,
    );
    expect(gate?.next).toBe("without it the run ends in 1.0 s");
    expect(bad.sent("stop")).toEqual([]);
    trial.join().serve();
    expect(await rootOf(await collected)).toBe(ALL_FOUR);
    await vi.waitFor(() => expect(bad.sent("stop")).toHaveLength(1));
    expectNoneHeld(trial);
  });

  it("are not waited for less because the coordinator stood still", async () => {
    const { trial } = trialOfTwo();
    await collectUsual(trial);
    const collected = collect(trial, 4);
    await vi.waitFor(() => expect(trial.notices.join("\n")).toContain("workers disagree"));
    trial.clock.stall(5 * DEADLINE_MS);
    trial.pass(DEADLINE_MS);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1 });
    trial.join().serve();
    expect(await rootOf(await collected)).toBe(ALL_FOUR);
  });

  it("end the run when nobody comes: neither result can be trusted", async () => {
    const { trial } = trialOfTwo();
    await collectUsual(trial);
    const collected = trial.collect(trial.trainRound(4));
    await vi.waitFor(() => expect(trial.notices.join("\n")).toContain("workers disagree"));
    trial.pass(2 * DEADLINE_MS + DEADLINE_MS / 4);
    await expect(collected).rejects.toMatchObject({ code: "workersDisagree" });
    await expect(collected).rejects.toThrow(/step 4, leaves 0–1.*another worker is needed/);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, undecided: 1 });
    await vi.waitFor(() =>
      expect(trial.gradients.numFree).toBeGreaterThanOrEqual(trial.gradients.numAllocated - 1),
    );
  });
});

describe("an audit", () => {
  it("finds a worker whose bits are wrong, though nothing else is, before its gradient counts", async () => {
    const trial = new Trial(4, undefined, undefined, 1, 1);
    const workers = [trial.join(), trial.join(), trial.join()];
    const [, bad] = workers;
    for (const worker of workers) worker.serve(worker === bad ? () => bitFlipped : undefined);
    let numSteps = 0;
    while (bad?.sent("stop").length === 0 && numSteps < 50) {
      numSteps += 1;
      const round = trial.trainRound(numSteps);
      await trial.collect(round);
      const root = await rootOf(round);
      // Where its leaf was not the audited one, nothing could be seen.
      if (bad.sent("stop").length > 0) expect(root).toBe(ALL_FOUR);
      await Promise.resolve();
    }
    expect(bad?.sent("stop")[0]?.reason).toMatch(
      /^worker-1-2 is quarantined: step \d+, leaf 1 \(an audit\)/,
    );
    const { audits, agreed, machine, quarantined, suspects } = await counts(trial);
    expect(audits).toBe(numSteps);
    expect({ agreed, machine, quarantined, suspects }).toEqual({
      ...{ agreed: numSteps - 1, machine: 1, quarantined: 1, suspects: 0 },
    });
  });

  it.each<[string, FakeUpload]>([
    ["losses", { lossOf: () => 1 + 2 ** -52 }],
    ["carried states", { stateOf: () => 7 }],
  ])("compares %s as well", async (_, off) => {
    const trial = new Trial(4, undefined, undefined, 1, 1);
    const workers = [trial.join(), trial.join(), trial.join()];
    const [, bad] = workers;
    for (const worker of workers) worker.serve(worker === bad ? () => off : undefined);
    for (let step = 1; step < 50 && bad?.sent("stop").length === 0; step++) {
      await trial.collect(trial.trainRound(step));
      await Promise.resolve();
    }
    expect(bad?.sent("stop")).toHaveLength(1);
  });

  it("changes nothing where everybody is right, and is none with one worker", async () => {
    const alone = new Trial(4, undefined, undefined, 1, 1);
    alone.join().serve();
    await collectUsual(alone, 4);
    expect(await counts(alone)).toEqual(NOTHING);
    const two = new Trial(4, undefined, undefined, 1, 1);
    for (const worker of [two.join(), two.join()]) worker.serve();
    await collectUsual(two, 4);
    expect(await counts(two)).toEqual({ ...NOTHING, audits: 4, agreed: 4 });
  });

  it("asks for the whole node where that is what is rounded", async () => {
    const trial = new Trial(4, undefined, 2, 1, 1);
    const workers = [trial.join(), trial.join()];
    for (const worker of workers) worker.serve();
    const round = await collect(trial, 1);
    expect(await rootOf(round)).toBe(ALL_FOUR);
    const leases = workers.flatMap((worker) => worker.sent("lease").map(({ lease }) => lease));
    expect(leases).toHaveLength(3);
    for (const { nodes } of leases) expect(nodes).toMatchObject([{ numLeaves: 2 }]);
    expect(await counts(trial)).toEqual({ ...NOTHING, audits: 1, agreed: 1 });
  });

  it("is asked of workers of the same numerics profile alone: others' bits may differ", async () => {
    const trial = new Trial(4, undefined, undefined, 1, 1);
    const [a, other] = [trial.join("a"), trial.join("b")];
    a.serve();
    other.serve(() => bitFlipped);
    await collectUsual(trial, 4);
    expect(await counts(trial)).toEqual(NOTHING);
    const b = trial.join("b");
    b.serve(() => bitFlipped);
    trial.join("a").serve();
    await collectUsual(trial, 4);
    const { agreed, machine } = await counts(trial);
    expect(agreed).toBeGreaterThan(0);
    expect(machine).toBe(0);
  });
});

describe("with several numerics profiles, a result whose profile nobody is left of", () => {
  const gone = new WireError("unavailable", "killed");

  it("is dropped if it is odd, after two deadlines, and the others compute the step; nobody is accused", async () => {
    const trial = new Trial();
    const [last, other] = [trial.join("a"), trial.join("b")];
    last.serve(({ step }) => (step < 4 ? right : undefined));
    other.serve();
    await collectUsual(trial);
    const round = trial.trainRound(4);
    const collected = trial.collect(round);
    last.complete(await last.lease(3), huge);
    last.stream.drop(gone);
    await vi.waitFor(() => expect(trial.dispatcher.collecting?.gate).toBeDefined());
    trial.pass(DEADLINE_MS);
    expect(trial.dispatcher.collecting?.gate).toMatchObject({
      what:
        "a worker that computes leaves 0–1 once more, to compare them (an odd norm): one of the numerics " +
        "profile of worker-1-1",
      next: "if none comes, that is given up in 1.0 s",
    });
    trial.pass(DEADLINE_MS + DEADLINE_MS / 8);
    expect((await collected).kind).toBe("complete");
    expect(await rootOf(round)).toBe(ALL_FOUR);
    expect(trial.notices.at(-1)).toMatch(
      /^step 4, leaves 0–1 \(an odd norm\): whether the result of worker-1-1 is right is not known: no worker of its numerics profile was here to compute it again for 2\.\d s; it is dropped, and computed by workers of another profile; nobody is accused$/,
    );
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, inconclusive: 1 });
    expect(round.lost.map(({ worker, leaves }) => [worker, leaves])).toEqual([[last.id, [0, 1]]]);
    expectNoneHeld(trial);
  });

  it("is not given up sooner because the coordinator stood still", async () => {
    const trial = new Trial();
    const [last, other] = [trial.join("a"), trial.join("b")];
    last.serve(({ step }) => (step < 4 ? right : undefined));
    other.serve();
    await collectUsual(trial);
    const collected = trial.collect(trial.trainRound(4));
    last.complete(await last.lease(3), huge);
    last.stream.drop(gone);
    await vi.waitFor(() => expect(trial.dispatcher.collecting?.gate).toBeDefined());
    trial.clock.stall(5 * DEADLINE_MS);
    trial.pass(DEADLINE_MS);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1 });
    trial.join("a").serve(() => huge);
    expect((await collected).kind).toBe("complete");
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, data: 1 });
  });

  it("counts as it is if it was only to be audited", async () => {
    const trial = new Trial(1, undefined, undefined, 1, 1);
    const [audited, auditor] = [trial.join("a"), trial.join("a")];
    trial.join("b").serve();
    const round = trial.trainRound(1);
    const collected = trial.collect(round);
    audited.complete(await audited.lease(0));
    await auditor.lease(0);
    for (const { stream } of [audited, auditor]) stream.drop(gone);
    trial.pass(2 * DEADLINE_MS + DEADLINE_MS / 4);
    expect((await collected).kind).toBe("complete");
    expect(round.nodes()).toMatchObject([{ workerId: audited.id }]);
    expect(trial.notices.at(-1)).toMatch(/2\.\d s; it counts as it is; nobody is accused$/);
    expect(await counts(trial)).toEqual({ ...NOTHING, audits: 1, inconclusive: 1 });
  });

  it("is waited for as long as nobody is here at all, and checked by one that comes in time", async () => {
    const trial = new Trial();
    const last = trial.join("a");
    last.serve(({ step }) => (step < 4 ? right : undefined));
    await collectUsual(trial);
    const collected = trial.collect(trial.trainRound(4));
    last.complete(await last.lease(3), huge);
    last.stream.drop(gone);
    await vi.waitFor(() => expect(trial.dispatcher.collecting?.gate).toBeDefined());
    trial.pass(4 * DEADLINE_MS);
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1 });
    trial.join("a").serve(() => huge);
    expect((await collected).kind).toBe("complete");
    expect(await counts(trial)).toEqual({ ...NOTHING, suspects: 1, data: 1 });
  });
});

describe("results that wait to be compared", () => {
  it("are never more than a few, however many nodes a step has", async () => {
    const trial = new Trial(32, undefined, 1);
    const worker = trial.join();
    for (let step = 1; step <= 3; step++) {
      const round = trial.trainRound(step);
      const collected = trial.collect(round);
      const lease = await worker.lease(step - 1);
      // Each leaf has the same norm, in the first and third step another one than before.
      const level = step < 3 ? 1 : 1000;
      for (const node of lease.nodes) {
        worker.upload(lease, node, { gradientOf: () => level });
        await new Promise(setImmediate);
      }
      worker.end(lease);
      await collected;
      trial.gradients.release(await round.tree.takeRoot());
    }
    expect(await counts(trial)).toEqual(NOTHING);
    // Four that wait and one that comes; in the tree, sums of 16, 8, 4, 2 leaves and one more.
    expect(trial.gradients.numAllocated).toBeLessThanOrEqual(5 + 5);
  });
});
