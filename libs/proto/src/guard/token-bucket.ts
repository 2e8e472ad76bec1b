/** So many at once, and so many a second from then on. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Counts what was done against a rate; what is above it is not done. */
export class TokenBucket {
  readonly #rate: Rate;
  #level: number;
  #filledAtMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#level = rate.burst;
    this.#filledAtMs = nowMs;
  }

  /** Whether one more is within the rate; it is counted if so. */
  take(nowMs: number): boolean {
    const { burst, perSecond } = this.#rate;
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#level = Math.min(burst, this.#level + (elapsedMs / 1000) * perSecond);
    this.#filledAtMs = nowMs;
    if (this.#level < 1) return false;
    this.#level -= 1;
    return true;
  }
}
