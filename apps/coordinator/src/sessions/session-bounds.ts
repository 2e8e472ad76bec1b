/**
 * What one worker may make its coordinator hold and say, beside the work that it was given. What it may stage is bounded
 * by its lease: the nodes of that alone, and each of them once.
 */

import { TokenBucket, WireError } from "@ostinato/proto";

/** Refusals are answered and logged: a burst is a lease that came too late, more is nobody who computes. */
const REFUSALS = { burst: 256, perSecond: 16 };

/** Messages that wait for a worker to read those before. One that reads has a few. */
const MOST_QUEUED = 1024;

export class SessionBounds {
  readonly #refusals: TokenBucket;

  constructor(nowMs: number) {
    this.#refusals = new TokenBucket(REFUSALS, nowMs);
  }

  /** @returns `resourceExhausted` if one more refusal is one too many */
  refusalProblem(nowMs: number): WireError | undefined {
    if (this.#refusals.take(nowMs)) return undefined;
    return exhausted("its uploads are refused again and again");
  }

  /** @returns `resourceExhausted` if the worker does not take what it is sent */
  queueProblem(numQueued: number): WireError | undefined {
    if (numQueued <= MOST_QUEUED) return undefined;
    return exhausted(`${numQueued} messages wait for it to read`);
  }
}

function exhausted(text: string): WireError {
  return new WireError("resourceExhausted", text);
}
