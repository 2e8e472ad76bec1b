/** How long to wait between attempts: exponential, with jitter so that many workers spread out. */

import type { Clock } from "@ostinato/runtime";

export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * The wait before the next attempt, in milliseconds: between half of and the whole of
 * `firstMs · 2^attempt`, at most `maxMs` ("equal jitter": never a hot loop, never in step).
 *
 * @param attempt attempts that have failed in a row before this wait, less one: 0 after the first
 */
export function backoffDelayMs(attempt: number, options: BackoffOptions): number {
  const full = Math.min(options.maxMs, options.firstMs * 2 ** attempt);
  return full / 2 + (full / 2) * options.random();
}

/** Resolves after `delayMs`, or at once when the signal is or gets aborted. */
export function waitMs(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const finish = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = clock.setTimer(delayMs, finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}
