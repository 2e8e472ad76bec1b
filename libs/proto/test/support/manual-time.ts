import type { GuardClock } from "../../src/index.js";

/** Time that stands still until a test moves it. */
export class ManualTime implements GuardClock {
  readonly #timers = new Map<() => void, number>();
  #nowMs = 0;

  /** How many timers are set. */
  get numTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, fire: () => void): { cancel(): void } {
    const once = (): void => fire();
    this.#timers.set(once, this.#nowMs + delayMs);
    return { cancel: () => void this.#timers.delete(once) };
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const [fire, atMs] of [...this.#timers]) {
      if (atMs <= this.#nowMs && this.#timers.delete(fire)) fire();
    }
  }
}
