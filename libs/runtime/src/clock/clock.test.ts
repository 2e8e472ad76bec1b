import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ManualClock, systemClock } from "./index.js";

describe("ManualClock", () => {
  it("stands still until told otherwise", () => {
    const clock = new ManualClock(new Date("2026-01-02T03:04:05Z"));
    expect([clock.now(), clock.now()]).toEqual([0, 0]);
    clock.advance(1500);
    expect(clock.now()).toBe(1500);
    expect(clock.wallTime().toISOString()).toBe("2026-01-02T03:04:06.500Z");
  });

  it("fires a timer at its time, not before it, and once", () => {
    const clock = new ManualClock();
    const fired: number[] = [];
    clock.setTimer(100, () => fired.push(clock.now()));
    clock.advance(99);
    expect(fired).toEqual([]);
    clock.advance(1);
    clock.advance(1000);
    expect(fired).toEqual([100]);
    expect(clock.numTimers).toBe(0);
  });

  it("does not fire a cancelled timer, also one cancelled by another at the same time", () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    const first = clock.setTimer(10, () => fired.push("first"));
    clock.setTimer(20, () => third.cancel());
    const third = clock.setTimer(20, () => fired.push("third"));
    first.cancel();
    first.cancel();
    clock.advance(100);
    expect(fired).toEqual([]);
  });

  it("fires timers set while it advances, in order of their time", () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.setTimer(10, () => {
      clock.setTimer(5, () => fired.push(`inner at ${clock.now()}`));
      clock.setTimer(0, () => fired.push(`at once at ${clock.now()}`));
    });
    clock.setTimer(12, () => fired.push(`outer at ${clock.now()}`));
    clock.advance(15);
    expect(fired).toEqual(["at once at 10", "outer at 12", "inner at 15"]);
  });

  it("fires in order of time and, at one time, in the order set", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (delays) => {
        const clock = new ManualClock();
        const fired: [number, number][] = [];
        delays.forEach((delay, index) => clock.setTimer(delay, () => fired.push([delay, index])));
        clock.advance(20);
        const expected = delays
          .map((delay, index): [number, number] => [delay, index])
          .sort(([a, i], [b, j]) => a - b || i - j);
        expect(fired).toEqual(expected);
      }),
    );
  });

  it("does not go back", () => {
    expect(() => new ManualClock().advance(-1)).toThrow(RangeError);
    expect(() => new ManualClock().advance(NaN)).toThrow(RangeError);
  });
});

describe("systemClock", () => {
  // Node's timers and its clock, held still: what is tested is the way they are used.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("goes forward, fires timers and forgets cancelled ones", () => {
    const startMs = systemClock.now();
    const fired: string[] = [];
    systemClock.setTimer(1, () => fired.push("cancelled")).cancel();
    systemClock.setTimer(2, () => fired.push("kept"));
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(["kept"]);
    expect(systemClock.now() - startMs).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets what is ready go first, then goes on", async () => {
    const order: string[] = [];
    setImmediate(() => order.push("ready before"));
    await systemClock.nextTurn();
    order.push("next turn");
    expect(order).toEqual(["ready before", "next turn"]);
  });

  it("waits for a delay that is longer than Node's timers go, rather than fire at once", () => {
    const longestMs = 2 ** 31 - 1;
    const fired: string[] = [];
    systemClock.setTimer(longestMs + 10, () => fired.push("month"));
    const cancelled = systemClock.setTimer(longestMs + 10, () => fired.push("cancelled"));
    vi.advanceTimersByTime(longestMs + 9);
    expect(fired).toEqual([]);
    cancelled.cancel();
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(["month"]);
  });
});
