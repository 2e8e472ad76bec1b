/** Which step is under way, who is there for it, and who is waited for. */

import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterHands } from "../faults/index.js";
import type { Passing } from "./passing.js";
import type { Slot } from "./slot.js";

/** A lease that is held lives for a deadline: it is renewed after so much of one, which is long enough to be told as a stall. */
const RENEWED_AFTER = 0.4;

export interface MusterOptions {
  readonly deadlineMs: number;
  /** So many of the last slots are empty until `startLate`. */
  readonly numLate: number;
  /** Holds steps that somebody misses; where false, cluster.minWorkers does. */
  readonly holdsSteps: boolean;
}

export class Muster implements ClusterHands {
  readonly #options: MusterOptions;
  readonly #slots: readonly Slot[];
  readonly #stepWaiters: { readonly step: number; readonly resolve: () => void }[] = [];
  #arrivalWaiters: (() => void)[] = [];
  #startLate: () => void = () => undefined;
  #step = 0;
  #isOver = false;

  /** @param slots all of the schedule, in order */
  constructor(slots: readonly Slot[], options: MusterOptions) {
    this.#slots = slots;
    this.#options = options;
    const started = new Promise<void>((resolve) => (this.#startLate = resolve));
    for (const slot of this.#late()) void slot.stayAway(started, { isMissed: false });
  }

  get step(): number {
    return this.#step;
  }

  get attached(): number {
    return this.#slots.filter(({ isAttached }) => isAttached).length;
  }

  /** Of those that are there from the beginning. */
  get numFirst(): number {
    return this.#slots.length - this.#late().length;
  }

  /** A lease of this step passes. */
  leased(step: number): void {
    this.#step = step;
    const due = this.#stepWaiters.filter((waiter) => waiter.step <= step);
    for (const waiter of due) {
      this.#stepWaiters.splice(this.#stepWaiters.indexOf(waiter), 1);
      waiter.resolve();
    }
  }

  stepBegun(step: number): Promise<void> {
    if (this.#isOver || this.#step >= step) return Promise.resolve();
    return new Promise((resolve) => this.#stepWaiters.push({ step, resolve }));
  }

  async startLate(): Promise<void> {
    this.#startLate();
    while (!this.#isOver && !this.#late().every(({ isAttached }) => isAttached))
      await this.#arrival();
  }

  /** Somebody has a stream now. */
  arrived(): void {
    for (const resolve of this.#arrivalWaiters.splice(0)) resolve();
  }

  /** Nobody is waited for any more. */
  end(): void {
    this.#isOver = true;
    this.arrived();
    for (const { resolve } of this.#stepWaiters.splice(0)) resolve();
  }

  /**
   * Resolves when whoever is missed has come: an upload that waits for it keeps the step from its end. Its worker seems
   * to compute meanwhile, in fits and starts.
   */
  async awaitMissing(slot: Slot, { phase, step, fence }: Passing): Promise<void> {
    if (!this.#options.holdsSteps || phase !== "begin") return;
    const { workerId } = slot;
    const isThere = (): boolean => slot.isAttached && slot.workerId === workerId;
    while (!this.#isOver && isThere() && this.#slots.some((other) => other.isMissingAt(step))) {
      const pause = sleep(RENEWED_AFTER * this.#options.deadlineMs, "pause" as const);
      if ((await Promise.race([pause, this.#arrival()])) === "pause") slot.renew(fence);
    }
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => this.#arrivalWaiters.push(resolve));
  }

  #late(): readonly Slot[] {
    const { numLate } = this.#options;
    return this.#slots.slice(this.#slots.length - Math.min(numLate, this.#slots.length - 1));
  }
}
