/** How long to wait between attempts: exponential, with jitter so that many workers spread out. */

import type { Clock } from "@ostinato/runtime";

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * The wait before the next attempt, in milliseconds: anything from 0 to `firstMs · 2^attempt`, or to
 * `maxMs` where that is less. "Full jitter": of the ways to draw it, the one that spreads those who lost
 * the same coordinator best (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 *
 * @param attempt attempts that have failed in a row before this wait, less one: 0 after the first
 */
export function backoffDelayMs(attempt: number, options: BackoffOptions): number {
  return Math.min(options.maxMs, options.firstMs * 2 ** attempt) * options.random();
}

/** Waits for `delayMs`, or until the signal is aborted, whichever comes first. */
export function waitMs(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal,
): Promise<"passed" | "aborted"> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve("aborted");
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      resolve("aborted");
    };
    const timer = clock.setTimer(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve("passed");
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
