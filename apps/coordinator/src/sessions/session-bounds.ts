/** What one worker may make its coordinator hold and say, beside the work that it was given. */

import { TokenBucket, WireError } from "@ostinato/proto";

/** Refusals are answered and logged: a burst is a lease that came too late, more is nobody who computes. */
const REFUSALS = { burst: 256, perSecond: 16 };

/** Messages that wait for a worker to read those before. One that reads has a few. */
const MOST_QUEUED = 1024;

export class SessionBounds {
  readonly #refusals: TokenBucket;
  #mostUploads = 1;

  constructor(nowMs: number) {
    this.#refusals = new TokenBucket(REFUSALS, nowMs);
  }

  /** A lease of so many nodes is on its way: it may have each of them staged, and one of the lease before. */
  granted(numNodes: number): void {
    this.#mostUploads = numNodes + 1;
  }

  /** @returns `resourceExhausted` if no upload more than these may be staged: each takes a gradient's memory */
  uploadProblem(numStaged: number): WireError | undefined {
    if (numStaged < this.#mostUploads) return undefined;
    return exhausted(`${numStaged} uploads at once are more than its lease has nodes`);
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
