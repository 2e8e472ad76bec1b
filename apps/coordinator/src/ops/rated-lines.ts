import type { Rate } from "@ostinato/proto";
import { TokenBucket } from "@ostinato/proto";

/**
 * Lines of a log that a peer can cause: only so many are written, as it must not be able to fill the disk. Counters count all.
 */
export class RatedLines {
  readonly #told: TokenBucket;
  #numUntold = 0;

  constructor(rate: Rate, nowMs: number) {
    this.#told = new TokenBucket(rate, nowMs);
  }

  /** @returns the line, with how many before it were not written; undefined where it is not to be written itself */
  take(line: string, nowMs: number): string | undefined {
    if (!this.#told.take(nowMs)) {
      this.#numUntold += 1;
      return undefined;
    }
    const untold = this.#numUntold;
    this.#numUntold = 0;
    return untold === 0 ? line : `${line} (${untold} refusals before it are not told)`;
  }
}
