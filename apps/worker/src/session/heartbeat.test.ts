import { ManualClock } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import { describe, expect, it } from "vitest";

import { Heartbeat } from "./heartbeat.js";

describe("a heartbeat", () => {
  it("beats several times a deadline until it is stopped, and leaves no timer", () => {
    const clock = new ManualClock();
    const { heartbeatMs, leaseMs } = deriveTimeouts(1000);
    let numBeats = 0;
    const heartbeat = new Heartbeat({ deadlineMs: 1000 }, { clock, beat: () => (numBeats += 1) });
    clock.advance(heartbeatMs - 1);
    expect(numBeats).toBe(0);
    clock.advance(leaseMs);
    expect(numBeats).toBe(Math.floor((leaseMs + heartbeatMs - 1) / heartbeatMs));
    heartbeat.stop();
    expect(clock.numTimers).toBe(0);
  });
});
