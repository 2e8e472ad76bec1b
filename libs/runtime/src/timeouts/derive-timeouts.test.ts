import { describe, expect, it } from "vitest";

import { DEFAULT_DEADLINE_MS, deriveTimeouts, describeTimeouts } from "./index.js";

describe("the time-outs of a deadline", () => {
  it("are what docs/operations.md says at 30 s", () => {
    const {
      leaseMs,
      lateLeaseMs,
      silentWorkerMs,
      keepaliveMs,
      goodbyeMs,
      leaveMs,
      longestPauseMs,
    } = deriveTimeouts(DEFAULT_DEADLINE_MS);
    expect({ leaseMs, lateLeaseMs, silentWorkerMs, keepaliveMs }).toEqual({
      leaseMs: 30_000,
      lateLeaseMs: 15_000,
      silentWorkerMs: 60_000,
      keepaliveMs: 10_000,
    });
    expect({ goodbyeMs, leaveMs, longestPauseMs }).toEqual({
      goodbyeMs: 5000,
      leaveMs: 10_000,
      longestPauseMs: 2000,
    });
  });

  it("are whole milliseconds, at least one, for every deadline that a config takes", () => {
    for (const deadlineMs of [500, 1000, 3333, 30_000, 86_400_000]) {
      for (const [name, value] of Object.entries(deriveTimeouts(deadlineMs))) {
        expect(Number.isInteger(value) && value >= 1, `${name} of ${deadlineMs}: ${value}`).toBe(
          true,
        );
      }
    }
  });

  it("keep their order whatever the deadline is", () => {
    for (const deadlineMs of [500, 1000, 30_000, 86_400_000]) {
      const all = deriveTimeouts(deadlineMs);
      // A dead connection is noticed before its lease expires, a late lease before that, and a stall first.
      expect(all.keepaliveMs + all.keepaliveAnswerMs).toBeLessThan(all.leaseMs);
      expect(all.stallMs).toBeLessThan(all.stallToldMs);
      expect(all.stallToldMs + all.watchMs).toBeLessThan(all.lateLeaseMs);
      expect(all.lateLeaseMs).toBeLessThan(all.leaseMs);
      expect(all.leaseMs).toBeLessThan(all.silentWorkerMs);
      // Several heartbeats and reports a deadline: one that is late costs no lease.
      expect(3 * all.progressMs).toBeLessThan(all.leaseMs);
      expect(3 * all.heartbeatMs).toBeLessThan(all.leaseMs);
      // Several attempts before a worker gives up, and several heartbeats before a claim is lost.
      expect(4 * all.longestPauseMs).toBeLessThanOrEqual(all.giveUpMs);
      expect(3 * all.claimHeartbeatMs).toBeLessThan(all.claimConfirmMs);
      expect(all.claimConfirmMs).toBeLessThanOrEqual(all.claimMs);
      expect(all.firstPauseMs).toBeLessThanOrEqual(all.longestPauseMs);
      expect(all.reconnectFirstMs).toBeLessThanOrEqual(all.reconnectLongestMs);
      expect(all.respawnFirstMs).toBeLessThanOrEqual(all.respawnLongestMs);
    }
  });
});

describe("the list of time-outs", () => {
  it("has every time-out with its value, and says what it derives from", () => {
    const described = describeTimeouts(12_000);
    expect(
      Object.fromEntries(described.map(({ name, milliseconds }) => [name, milliseconds])),
    ).toEqual(deriveTimeouts(12_000));
    const derivationOf = (name: string): string | undefined =>
      described.find((timeout) => timeout.name === name)?.derivation;
    expect(derivationOf("leaseMs")).toBe("the deadline");
    expect(derivationOf("keepaliveMs")).toBe("1/3 of the deadline");
    expect(derivationOf("silentWorkerMs")).toBe("2 deadlines");
    expect(derivationOf("goodbyeMs")).toBe("the deadline, at most 5 s");
    expect(derivationOf("leaveMs")).toBe("the deadline, at least 2 s, at most 10 s");
    expect(derivationOf("httpIdleMs")).toBe("fixed");
  });
});
