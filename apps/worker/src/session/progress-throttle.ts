/** At most one progress message an interval: the newest of an interval waits for its end. */

import type { Phase } from "@ostinato/proto";
import type { Clock, Timer } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";

export interface ProgressReport {
  readonly phase: Phase;
  /** Time steps computed so far in this phase. */
  readonly timeSteps: number;
}

/**
 * Passes on the first report at once and then at most one an interval.
 *
 * It sends only what was reported: a computation that stands still sends nothing, so that the
 * coordinator sees it stand still.
 */
export class ProgressThrottle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #send: (report: ProgressReport) => void;
  #pending: ProgressReport | undefined;
  #timer: Timer | undefined;

  constructor(
    options: { readonly deadlineMs: number },
    modules: { readonly clock: Clock; readonly send: (report: ProgressReport) => void },
  ) {
    // A calm pace for people and for the coordinator's event loop.
    this.#intervalMs = deriveTimeouts(options.deadlineMs).progressMs;
    this.#clock = modules.clock;
    this.#send = modules.send;
  }

  report(report: ProgressReport): void {
    if (this.#timer !== undefined) {
      this.#pending = report;
      return;
    }
    this.#send(report);
    this.#timer = this.#clock.setTimer(this.#intervalMs, () => {
      this.#timer = undefined;
      const pending = this.#pending;
      this.#pending = undefined;
      if (pending !== undefined) this.report(pending);
    });
  }

  /** Sends nothing more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pending = undefined;
  }
}
