/** Whether enough workers are here for a step to begin, and since when not. Pure, time injected. */

export class Presence {
  readonly minWorkers: number;
  #numActive = 0;
  #noneSinceMs: number;
  #tooFewSinceMs: number;

  /** Nobody is here at first. */
  constructor(minWorkers: number, nowMs: number) {
    this.minWorkers = minWorkers;
    this.#noneSinceMs = nowMs;
    this.#tooFewSinceMs = nowMs;
  }

  update(numActive: number, nowMs: number): void {
    const { minWorkers } = this;
    if (numActive === 0 && this.#numActive > 0) this.#noneSinceMs = nowMs;
    if (numActive < minWorkers && this.#numActive >= minWorkers) this.#tooFewSinceMs = nowMs;
    this.#numActive = numActive;
  }

  get isEnough(): boolean {
    return this.#numActive >= this.minWorkers;
  }

  /** Since when nobody has been here; undefined while somebody is. */
  get noneSinceMs(): number | undefined {
    return this.#numActive === 0 ? this.#noneSinceMs : undefined;
  }

  /** Since when there have been fewer than the minimum; undefined while there are enough. */
  get tooFewSinceMs(): number | undefined {
    return this.isEnough ? undefined : this.#tooFewSinceMs;
  }
}
