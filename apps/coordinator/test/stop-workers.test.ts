import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it, vi } from "vitest";
import { stopWorkers } from "../src/sessions/index.js";
import { Trial } from "./support/trial.js";

describe("the end of a run", () => {
  it("is told to every worker, and over when the service is closed", async () => {
    const trial = new Trial();
    const workers = [trial.join(), trial.join()];
    const clock = new ManualClock();
    await stopWorkers({
      sessions: workers.map(({ session }) => session),
      failed: false,
      reason: "the run is complete",
      limitMs: 1000,
      clock,
      closeService: (closed) => {
        closed();
      },
    });
    for (const worker of workers) {
      expect(worker.sent("stop")).toEqual([
        { kind: "stop", failed: false, reason: "the run is complete" },
      ]);
      expect(worker.stream.ended).toEqual({ error: undefined });
    }
    expect(clock.numTimers).toBe(0);
  });

  it("does not wait longer than its limit for a frozen worker that reads nothing", async () => {
    const trial = new Trial();
    const frozen = trial.join();
    frozen.stream.isStuck = true;
    const collected = trial.collect(trial.trainRound(1));
    await vi.waitFor(() => expect(frozen.sent("lease")).toHaveLength(1));
    const clock = new ManualClock();
    const closeService = vi.fn();
    const stopped = stopWorkers({
      sessions: [frozen.session],
      failed: false,
      reason: "the run was stopped",
      limitMs: 1000,
      clock,
      closeService,
    });
    clock.advance(1000);
    await stopped;
    expect(closeService).not.toHaveBeenCalled();
    trial.abort.abort();
    await expect(collected).rejects.toMatchObject({ code: "stopped" });
  });
});
