/** Who claims runs on a machine that is made up: which processes live on it, and the time. */

import type { Claimant } from "../../src/incarnation/index.js";

const START_MS = Date.UTC(2026, 10, 24, 3, 15, 9);

/** A clock that stands still until it is told otherwise; heartbeats come when they are due. */
export class ClaimTime {
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

  /** Lets time go by, a tenth of a second at a time, until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settle = (): void => {
      state.isSettled = true;
    };
    promise.then(settle, settle);
    for (let turn = 0; !state.isSettled && turn < 10_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#timers.length > 0) this.advance(100);
    }
    return promise;
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

export interface ClaimantOptions {
  readonly pid?: number;
  readonly host?: string;
  readonly clock?: ClaimTime;
  readonly deadlineMs?: number;
  /** The processes that live on this host; on another one nobody knows. */
  readonly alive?: readonly number[];
  readonly signal?: AbortSignal;
  readonly onWait?: (text: string) => void;
}

export function claimantOf(options: ClaimantOptions = {}): Claimant {
  const { pid = 1, host = "here", clock = new ClaimTime(), deadlineMs = 30_000 } = options;
  const { alive = [], signal, onWait } = options;
  const self = { pid, host, bootId: "boot", pidNamespace: "pid:[1]", startTicks: 1 };
  const processes = {
    self,
    isGone: (other: { readonly pid: number; readonly host: string }) =>
      other.host === host && !alive.includes(other.pid),
  };
  return { processes, clock, deadlineMs, signal, onWait };
}
