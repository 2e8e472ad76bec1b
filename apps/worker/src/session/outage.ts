/** For how long, and how often, reaching the coordinator has failed. */

import type { Clock } from "@ostinato/runtime";

export class Outage {
  readonly #clock: Clock;
  #sinceMs: number | undefined;
  #numAttempts = 0;

  /** Begins at once: until somebody is reached, nobody is. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.now();
  }

  /** What stood until now is lost. Attempts are counted on, so that pauses grow if that repeats. */
  begin(): void {
    this.#sinceMs = this.#clock.now();
  }

  /** The coordinator works with us: what failed before is forgotten. */
  over(): void {
    this.#sinceMs = undefined;
    this.#numAttempts = 0;
  }

  failedAttempt(): { readonly elapsedMs: number; readonly numAttempts: number } {
    const nowMs = this.#clock.now();
    this.#sinceMs ??= nowMs;
    this.#numAttempts += 1;
    return { elapsedMs: nowMs - this.#sinceMs, numAttempts: this.#numAttempts };
  }
}
