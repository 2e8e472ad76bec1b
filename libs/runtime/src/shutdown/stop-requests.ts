import type { Clock } from "../clock/index.js";
import { FIXED_TIMEOUTS } from "../timeouts/index.js";

/** Signals that come closer together are one request. */
export const SAME_REQUEST_MS = FIXED_TIMEOUTS.sameSignalMs;

/**
 * Tells a second request to stop from an echo of the first: npm sends its child the Ctrl-C that the
 * terminal has sent to both of them already.
 */
export class StopRequests {
  readonly #clock: Clock;
  #firstAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a signal. */
  take(): "first" | "echo" | "second" {
    const nowMs = this.#clock.now();
    if (this.#firstAtMs === undefined) {
      this.#firstAtMs = nowMs;
      return "first";
    }
    return nowMs - this.#firstAtMs < SAME_REQUEST_MS ? "echo" : "second";
  }
}
