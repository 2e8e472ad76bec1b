import { describe, expect, it } from "vitest";
import { LeasePace } from "./index.js";
import type { LeaseSamples } from "./index.js";

const TIMEOUTS = { earliestLateLeaseMs: 2000, lateLeaseMs: 16_000 };

function paceAfter(durationsMs: readonly number[]): LeasePace {
  const pace = new LeasePace();
  for (const durationMs of durationsMs) pace.completed("a", "train", whole(4), durationMs);
  return pace;
}

/** Workers whose first leases, which are no measure, are done. */
function paceOf(...workers: readonly string[]): LeasePace {
  const pace = new LeasePace();
  for (const id of [...workers, ...workers]) pace.completed(id, "train", whole(1), 9999);
  return pace;
}

/** A worker that did all of its lease itself. */
const whole = (samples: number): LeaseSamples => ({ own: samples, all: samples });
/** One of whose lease others did all. */
const none = (samples: number): LeaseSamples => ({ own: 0, all: samples });

describe("the rate of a worker", () => {
  it("is not measured by its first two leases: everything is new to it", () => {
    const pace = paceOf("a");
    expect(pace.ratesOf(["a"])).toBeUndefined();
    pace.completed("a", "train", whole(4), 400);
    expect(pace.ratesOf(["a"])).toEqual([0.01]);
    // Nor by what others finished in its stead.
    for (let i = 0; i < 2; i++) pace.overtaken("new", "train", none(1), 9999);
    expect(pace.ratesOf(["new"])).toBeUndefined();
    // Another identity begins anew.
    pace.forget("a");
    pace.completed("a", "train", whole(4), 400);
    expect(pace.ratesOf(["a"])).toBeUndefined();
  });

  it("is measured in samples a time, and follows a change of speed", () => {
    const pace = paceOf("a");
    pace.completed("a", "train", whole(4), 400);
    expect(pace.ratesOf(["a"])).toEqual([0.01]);
    for (let i = 0; i < 20; i++) pace.completed("a", "train", whole(4), 200);
    expect(pace.ratesOf(["a"])?.[0]).toBeCloseTo(0.02, 4);
  });

  it("is hardly changed by one pause", () => {
    const pace = paceOf("a");
    for (let i = 0; i < 3; i++) pace.completed("a", "train", whole(4), 400);
    pace.completed("a", "train", whole(4), 400_000);
    // Counted as four times slower, of which three tenths: 4^-0.3 = 0.66.
    expect(pace.ratesOf(["a"])?.[0]).toBeCloseTo(0.01 * 4 ** -0.3, 9);
  });

  it("is the median of the others' for one that is new, and unknown where all are", () => {
    const pace = paceOf("a", "b", "c");
    expect(pace.ratesOf(["a", "b"])).toBeUndefined();
    pace.completed("a", "train", whole(1), 100);
    pace.completed("b", "train", whole(1), 50);
    pace.completed("c", "train", whole(1), 10);
    expect(pace.ratesOf(["a", "b", "c", "new"])).toEqual([0.01, 0.02, 0.1, 0.02]);
  });

  it("falls when others finish what it has not, and is not raised by that", () => {
    const pace = paceOf("a", "b");
    pace.completed("a", "train", whole(4), 400);
    pace.overtaken("a", "train", none(4), 100);
    expect(pace.ratesOf(["a"])).toEqual([0.01]);
    pace.overtaken("a", "train", none(4), 1600);
    expect(pace.ratesOf(["a"])?.[0]).toBeLessThan(0.01);
    pace.overtaken("b", "train", none(1), 1000);
    expect(pace.ratesOf(["b"])).toEqual([0.001]);
  });

  it("is what it delivered at least, and at most what it was asked for: what it was taken for stands in between", () => {
    const pace = paceOf("a", "b");
    // Of four, others were first with two.
    pace.completed("a", "train", { own: 2, all: 4 }, 400);
    expect(pace.ratesOf(["a"])).toEqual([0.005]);
    pace.completed("b", "train", whole(4), 400);
    pace.completed("b", "train", { own: 2, all: 6 }, 400);
    pace.overtaken("b", "train", { own: 2, all: 6 }, 400);
    expect(pace.ratesOf(["b"])).toEqual([0.01]);
    pace.overtaken("b", "train", { own: 3, all: 6 }, 100);
    expect(pace.ratesOf(["b"])?.[0]).toBeCloseTo(0.01 * 3 ** 0.3, 9);
    pace.completed("b", "train", none(0), 100);
    expect(pace.ratesOf(["b"])?.[0]).toBeCloseTo(0.01 * 3 ** 0.3, 9);
  });

  it("is shown from the first lease on, and as measured: not as hoped of one that gets nothing", () => {
    const pace = new LeasePace();
    expect(pace.speedOf("a")).toBeNaN();
    pace.completed("a", "train", whole(4), 400);
    expect(pace.speedOf("a")).toBe(10);
    expect(pace.ratesOf(["a"])).toBeUndefined();
    for (const id of ["a", "a", "b", "b", "b"]) pace.completed(id, "train", whole(4), 400);
    for (let i = 0; i < 20; i++) pace.completed("b", "train", whole(4), 100);
    for (let i = 0; i < 40; i++) pace.leftOut("a");
    expect(pace.speedOf("a")).toBe(10);
    expect(pace.ratesOf(["a"])?.[0]).toBeGreaterThan(0.02);
    // It was hoped for in vain: one lease tells.
    pace.completed("a", "train", whole(4), 400);
    expect(pace.ratesOf(["a"])).toEqual([0.01]);
    pace.forget("a");
    expect(pace.speedOf("a")).toBeNaN();
  });

  it("is not measured by evaluations", () => {
    const pace = paceOf("a");
    pace.completed("a", "evaluate", whole(4), 10);
    pace.overtaken("a", "evaluate", none(4), 10);
    expect(pace.ratesOf(["a"])).toBeUndefined();
  });

  it("of one that gets nothing recovers up to the usual one, so that it is measured again", () => {
    const pace = paceOf("a", "b", "slow", "quick");
    for (const id of ["a", "b"]) pace.completed(id, "train", whole(1), 10);
    pace.completed("slow", "train", whole(1), 1000);
    let steps = 0;
    while ((pace.ratesOf(["slow"])?.[0] ?? 0) < 0.1) {
      pace.leftOut("slow");
      steps += 1;
    }
    // 100 times, at 2 % a step.
    expect(steps).toBe(Math.ceil(Math.log(100) / Math.log(1.02)));
    for (let i = 0; i < 100; i++) pace.leftOut("slow");
    expect(pace.ratesOf(["slow"])).toEqual([0.1]);
    // One that was quicker than the usual is not slowed down by it.
    pace.completed("quick", "train", whole(1), 1);
    pace.leftOut("quick");
    expect(pace.ratesOf(["quick"])).toEqual([1]);
  });
});

describe("a lease is late", () => {
  it("after the latest time as long as nothing is known of how long leases take", () => {
    expect(paceAfter([100, 100, 100]).lateAfterMs("train", TIMEOUTS)).toBe(16_000);
  });

  it("after four times what leases take", () => {
    const pace = paceAfter([1000, 900, 1100, 1000, 90_000]);
    expect(pace.lateAfterMs("train", TIMEOUTS)).toBe(4000);
    // Each kind of round by itself.
    expect(pace.lateAfterMs("evaluate", TIMEOUTS)).toBe(16_000);
  });

  it("never before the earliest time, nor after the latest, which follow from the deadline", () => {
    expect(paceAfter([1, 1, 1, 1]).lateAfterMs("train", TIMEOUTS)).toBe(2000);
    const slow = paceAfter([9000, 9000, 9000, 9000]);
    expect(slow.lateAfterMs("train", TIMEOUTS)).toBe(16_000);
  });

  it("by the last leases: those of long ago are forgotten", () => {
    const pace = paceAfter(Array.from({ length: 64 }, (_, i) => (i < 32 ? 3000 : 1000)));
    expect(pace.lateAfterMs("train", TIMEOUTS)).toBe(4000);
  });
});
