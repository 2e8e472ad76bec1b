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
