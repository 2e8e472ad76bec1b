/** For how long, and how often, having a session with the coordinator has failed. */

import type { Clock } from "@ostinato/runtime";

export interface FailedAttempt {
  /** Since the first failure in a row; an attempt that reached nobody counts from its start. */
  readonly elapsedMs: number;
  /** Attempts that failed in a row. */
  readonly numAttempts: number;
  /** Whether this attempt had an identity before it failed. */
  readonly wasJoined: boolean;
  /** Attempts in a row that had one, and came to nothing. */
  readonly numLetGo: number;
}

/**
 * Two things can go on for too long, each with a clock of its own: nobody is reached, which a join
 * ends; and a coordinator lets this worker join and then loses or refuses it, which only a session
 * that worked ends. Without the second clock such a coordinator would be joined for ever.
 */
export class Outage {
  readonly #clock: Clock;
  #unreachedSinceMs: number | undefined;
  #unsettledSinceMs: number | undefined;
  #isJoined = false;
  #isSettled = false;
  #numAttempts = 0;
  #numLetGo = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get elapsedMs(): number {
    const nowMs = this.#clock.now();
    return nowMs - Math.min(this.#unreachedSinceMs ?? nowMs, this.#unsettledSinceMs ?? nowMs);
  }

  /** An attempt begins. */
  attempt(): void {
    this.#isJoined = false;
    this.#isSettled = false;
    this.#unreachedSinceMs ??= this.#clock.now();
  }

  /** A coordinator gave this attempt an identity. */
  joined(): void {
    this.#isJoined = true;
    this.#unreachedSinceMs = undefined;
  }

  /** The coordinator works with us: what failed before is forgotten. */
  settled(): void {
    this.#unreachedSinceMs = undefined;
    this.#unsettledSinceMs = undefined;
    this.#isSettled = true;
    this.#numAttempts = 0;
    this.#numLetGo = 0;
  }

  failed(): FailedAttempt {
    if (this.#isJoined) this.#unsettledSinceMs ??= this.#clock.now();
    if (this.#isJoined && !this.#isSettled) this.#numLetGo += 1;
    this.#numAttempts += 1;
    return {
      elapsedMs: this.elapsedMs,
      numAttempts: this.#numAttempts,
      wasJoined: this.#isJoined,
      numLetGo: this.#numLetGo,
    };
  }
}
