import type { Clock, Timer } from "./clock.js";

interface PendingTimer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/**
 * A clock for tests, which stands still until told otherwise.
 *
 * @example
 * const clock = new ManualClock();
 * clock.setTimer(100, expire);
 * clock.advance(99); // nothing
 * clock.advance(1); // expire() is called
 */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #startWallMs: number;
  // In the order set, so that timers due at the same moment fire in that order.
  readonly #pending = new Set<PendingTimer>();

  /** @param start the wall time at `now() === 0` */
  constructor(start = new Date("2000-01-01T00:00:00Z")) {
    this.#startWallMs = start.getTime();
  }

  now(): number {
    return this.#nowMs;
  }

  wallTime(): Date {
    return new Date(this.#startWallMs + this.#nowMs);
  }

  /** Timers set and neither fired nor cancelled. */
  get numTimers(): number {
    return this.#pending.size;
  }

  /** Nothing else is waited for. */
  nextTurn(): Promise<void> {
    return Promise.resolve();
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), fire };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /**
   * Moves the time on and fires, in order of their time, all timers that fall due, each at its own
   * time; also those that are set meanwhile.
   */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`time goes forward only, not by ${ms} ms`);
    const endMs = this.#nowMs + ms;
    for (let due = this.#firstDue(endMs); due !== undefined; due = this.#firstDue(endMs)) {
      this.#pending.delete(due);
      this.#nowMs = due.dueMs;
      due.fire();
    }
    this.#nowMs = endMs;
  }

  /**
   * Lets the process stand still, as when its machine was suspended: the time is later, and what fell
   * due meanwhile is fired only then, each once.
   */
  stall(ms: number): void {
    this.#nowMs += ms;
    for (const due of [...this.#pending].filter(({ dueMs }) => dueMs <= this.#nowMs)) {
      this.#pending.delete(due);
      due.fire();
    }
  }

  #firstDue(untilMs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs <= untilMs && timer.dueMs < (first?.dueMs ?? Infinity)) first = timer;
    }
    return first;
  }
}
