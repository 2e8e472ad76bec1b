/** The end of a run, for everyone connected. */

import type { Clock } from "@ostinato/runtime";
import type { WorkerSession } from "./worker-session.js";

export interface StopWorkersOptions {
  readonly sessions: readonly WorkerSession[];
  readonly failed: boolean;
  readonly reason: string;
  /** Nobody is waited for longer: a frozen worker reads nothing, not even that the run is over. */
  readonly limitMs: number;
  readonly clock: Clock;
  /** Closes the service for new calls; calls back when the last one has ended. */
  readonly closeService: (closed: () => void) => void;
}

/** Tells every worker, and lets the last messages reach workers and watchers. */
export async function stopWorkers(options: StopWorkersOptions): Promise<void> {
  const { sessions, failed, reason, limitMs, clock, closeService } = options;
  await new Promise<void>((resolve) => {
    const timer = clock.setTimer(limitMs, resolve);
    const told = Promise.all(sessions.map((session) => session.stop(failed, reason)));
    void told.then(() => {
      closeService(() => {
        timer.cancel();
        resolve();
      });
    });
  });
}
