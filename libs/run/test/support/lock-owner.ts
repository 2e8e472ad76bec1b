/** Owners of locks on a host that is made up: which processes live on it, and the time. */

import type { LockOwner } from "../../src/directory/index.js";

const START_MS = Date.UTC(2026, 10, 24, 3, 15, 9);

/** A clock that stands still until it is told otherwise; heartbeats come when they are due. */
export class LockTime {
  #nowMs = START_MS;
  #timers: { readonly dueMs: number; readonly fire: () => void }[] = [];

  get numTimers(): number {
    return this.#timers.length;
  }

  wallTime(): Date {
    return new Date(this.#nowMs);
  }

  setTimer(delayMs: number, fire: () => void): { cancel(): void } {
    const timer = { dueMs: this.#nowMs + delayMs, fire };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.find(({ dueMs }) => dueMs <= endMs);
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#nowMs = due.dueMs;
      due.fire();
    }
    this.#nowMs = endMs;
  }
}

export interface OwnerOptions {
  readonly pid?: number;
  readonly host?: string;
  readonly clock?: LockTime;
  readonly deadlineMs?: number;
  /** The processes that live on this host. */
  readonly alive?: readonly number[];
}

export function lockOwner({
  pid = 1,
  host = "here",
  clock = new LockTime(),
  deadlineMs = 30_000,
  alive = [],
}: OwnerOptions = {}): LockOwner {
  const kill = (other: number): void => {
    if (!alive.includes(other)) throw Object.assign(new Error("none"), { code: "ESRCH" });
  };
  return { process: { pid, kill }, host, clock, deadlineMs };
}
