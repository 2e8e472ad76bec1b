/** Says what the run waits for, once a stall and again every so often, and when it moves again. */

import type { Clock, Timer } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";
import type { Wait } from "./wait.js";
import { duration } from "./words.js";

export type StallWatchOptions = Pick<Timeouts, "watchMs" | "stallToldMs" | "stallRepeatMs">;

export interface StallWatchModules {
  readonly clock: Clock;
  readonly find: () => Wait | undefined;
  readonly notify: (level: "info" | "warn", text: string) => void;
}

export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #modules: StallWatchModules;
  #timer: Timer | undefined;
  #wasLate = false;
  #told: { readonly wait: Wait; readonly firstSinceMs: number; readonly atMs: number } | undefined;

  constructor(options: StallWatchOptions, modules: StallWatchModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Looks from now on, whatever the run is at, until `stop`. */
  start(): void {
    const { clock } = this.#modules;
    const { watchMs } = this.#options;
    const dueMs = clock.now() + watchMs;
    this.#timer = clock.setTimer(watchMs, () => {
      this.start();
      // This process itself stood still: what others did meanwhile is yet to be read. One that is always late
      // has read what there was before the last time.
      const isLate = clock.now() - dueMs > watchMs;
      if (!isLate || this.#wasLate) this.look();
      this.#wasLate = isLate;
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  look(): void {
    const { clock, find, notify } = this.#modules;
    const nowMs = clock.now();
    const wait = find();
    const stall = wait?.isStall === true ? wait : undefined;
    if (this.#told !== undefined && stall?.subject !== this.#told.wait.subject) {
      const { wait: over, firstSinceMs } = this.#told;
      this.#told = undefined;
      notify("info", `${over.subject} moves again after ${duration(nowMs - firstSinceMs)}`);
    }
    if (stall === undefined) return;
    const told = this.#told;
    const { stallToldMs, stallRepeatMs } = this.#options;
    // What is over soon is for who asks, and nothing to fill a log with.
    if (told === undefined && nowMs - stall.sinceMs < stallToldMs) return;
    const isKnown = told?.wait.cause === stall.cause;
    if (isKnown && nowMs - told.atMs < stallRepeatMs) return;
    this.#told = {
      wait: stall,
      firstSinceMs: told?.firstSinceMs ?? stall.sinceMs,
      atMs: nowMs,
    };
    notify("warn", stall.text);
  }
}
