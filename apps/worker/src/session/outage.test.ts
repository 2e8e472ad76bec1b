import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";

import { Outage } from "./outage.js";

describe("Outage", () => {
  it("counts from the first attempt that reached nobody, not from when it was made", () => {
    const clock = new ManualClock();
    const outage = new Outage(clock);
    clock.advance(60_000);
    outage.attempt();
    clock.advance(700);
    expect(outage.failed()).toEqual({
      elapsedMs: 700,
      numAttempts: 1,
      wasJoined: false,
      numLetGo: 0,
    });
    clock.advance(100);
    outage.attempt();
    clock.advance(200);
    expect(outage.failed()).toEqual({
      elapsedMs: 1000,
      numAttempts: 2,
      wasJoined: false,
      numLetGo: 0,
    });
  });

  it("forgets with a join that nobody was reached, and counts from the failure after it", () => {
    const clock = new ManualClock();
    const outage = new Outage(clock);
    outage.attempt();
    clock.advance(5000);
    outage.failed();
    outage.attempt();
    outage.joined();
    clock.advance(60_000); // a long fetch, broken in the end
    expect(outage.failed()).toEqual({ elapsedMs: 0, numAttempts: 2, wasJoined: true, numLetGo: 1 });
  });

  it("counts on while joins succeed and nothing comes of them", () => {
    const clock = new ManualClock();
    const outage = new Outage(clock);
    for (let attempt = 0; attempt < 4; attempt++) {
      outage.attempt();
      outage.joined();
      expect(outage.failed()).toMatchObject({
        elapsedMs: 1000 * attempt,
        numAttempts: attempt + 1,
        numLetGo: attempt + 1,
      });
      clock.advance(1000);
    }
  });

  it("begins anew with the first failure of a session that worked, however long ago that was", () => {
    const clock = new ManualClock();
    const outage = new Outage(clock);
    outage.attempt();
    outage.joined();
    outage.failed();
    outage.attempt();
    outage.joined();
    outage.settled();
    clock.advance(3_600_000);
    expect(outage.failed()).toEqual({ elapsedMs: 0, numAttempts: 1, wasJoined: true, numLetGo: 0 });
    clock.advance(40);
    outage.attempt();
    expect(outage.elapsedMs).toBe(40);
    expect(outage.failed()).toEqual({
      elapsedMs: 40,
      numAttempts: 2,
      wasJoined: false,
      numLetGo: 0,
    });
  });
});
