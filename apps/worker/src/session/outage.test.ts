import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";

import { Outage } from "./outage.js";

describe("Outage", () => {
  it("begins when it is made", () => {
    const clock = new ManualClock();
    const outage = new Outage(clock);
    clock.advance(700);
    expect(outage.failedAttempt()).toEqual({ elapsedMs: 700, numAttempts: 1 });
    clock.advance(300);
    expect(outage.failedAttempt()).toEqual({ elapsedMs: 1000, numAttempts: 2 });
  });

  it("begins anew with the first failure after it was over, however long ago that was", () => {
    const clock = new ManualClock();
    const outage = new Outage(clock);
    outage.failedAttempt();
    outage.over();
    clock.advance(3_600_000);
    expect(outage.failedAttempt()).toEqual({ elapsedMs: 0, numAttempts: 1 });
    clock.advance(40);
    expect(outage.failedAttempt()).toEqual({ elapsedMs: 40, numAttempts: 2 });
  });

  it("counts attempts on when a connection is lost before it proved to work", () => {
    const clock = new ManualClock();
    const outage = new Outage(clock);
    outage.failedAttempt();
    clock.advance(5000);
    outage.begin();
    expect(outage.failedAttempt()).toEqual({ elapsedMs: 0, numAttempts: 2 });
  });
});
