import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";

import { backoffDelayMs, waitMs } from "./backoff.js";

const between = { firstMs: 100, maxMs: 2000 };

describe("backoffDelayMs", () => {
  it("doubles from the first delay up to the longest", () => {
    // 100 · 2^n up to 2000, all of it random: random 1/2 gives the half.
    const delays = [0, 1, 2, 3, 4, 5, 50].map((attempt) =>
      backoffDelayMs(attempt, { ...between, random: () => 0.5 }),
    );
    expect(delays).toEqual([50, 100, 200, 400, 800, 1000, 1000]);
  });

  it("spreads over the whole of the delay", () => {
    // 100 · 2^2 = 400.
    expect(backoffDelayMs(2, { ...between, random: () => 0 })).toBe(0);
    expect(backoffDelayMs(2, { ...between, random: () => 0.25 })).toBe(100);
    expect(backoffDelayMs(2, { ...between, random: () => 0.75 })).toBe(300);
  });
});

describe("waitMs", () => {
  it("resolves when the time has passed, not before", async () => {
    const clock = new ManualClock();
    let outcome: unknown;
    const waited = waitMs(clock, 100, new AbortController().signal).then((how) => {
      outcome = how;
    });
    clock.advance(99);
    await Promise.resolve();
    expect(outcome).toBeUndefined();
    clock.advance(1);
    await waited;
    expect(outcome).toBe("passed");
  });

  it("resolves at once when the signal is aborted, before or while it waits", async () => {
    const clock = new ManualClock();
    expect(await waitMs(clock, 100, AbortSignal.abort())).toBe("aborted");
    const abort = new AbortController();
    const waited = waitMs(clock, 100, abort.signal);
    abort.abort();
    expect(await waited).toBe("aborted");
    expect(clock.numTimers).toBe(0);
  });
});
