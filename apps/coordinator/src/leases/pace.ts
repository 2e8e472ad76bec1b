/** How fast workers compute, measured by their leases, and when a lease is late. Pure. */

import type { Timeouts } from "@ostinato/runtime/timeouts";

type Kind = "train" | "evaluate";

/** The weight of the newest lease in a worker's rate: three leases tell most of it. */
const SMOOTHING = 0.3;
/** One lease says no more than this factor: a pause is no change of speed. */
const MAX_FACTOR = 4;
/** A worker's first leases are no measure: parameters are on their way to it, and its code is not yet compiled. */
const WARM_UP_LEASES = 2;
/** What a worker that was left out gains a step, until it is asked and measured again. */
const RECOVERY = 1.02;

/** Leases of a kind that the median looks back on, and how many it needs. */
const WINDOW = 32;
const MIN_LEASES = 4;

/** A lease is late after so many times what leases take. */
const LATE_MEDIANS = 4;

/**
 * A worker's rate is in leaves a millisecond, from the lease to the result: transfers and waiting count, as
 * the step waits for them too. Only training is measured; evaluations are shared out by the same rates.
 *
 * Nothing here reaches the result of a run: rates decide who computes what, and when it is asked for twice.
 */
export class LeasePace {
  readonly #rates = new Map<string, number>();
  /** Leases of each worker that were no measure. */
  readonly #warmUps = new Map<string, number>();
  readonly #durations: Record<Kind, number[]> = { train: [], evaluate: [] };

  /** All leaves of a lease came in, after `durationMs`. */
  completed(workerId: string, kind: Kind, numLeaves: number, durationMs: number): void {
    const durations = this.#durations[kind];
    durations.push(durationMs);
    if (durations.length > WINDOW) durations.shift();
    if (kind === "train" && durationMs > 0) this.#observe(workerId, numLeaves / durationMs);
  }

  /** Somebody else was first: that the worker needed more than `elapsedMs` is all that is known. */
  overtaken(workerId: string, kind: Kind, numLeaves: number, elapsedMs: number): void {
    if (kind !== "train" || elapsedMs <= 0) return;
    const most = numLeaves / elapsedMs;
    if (most < (this.#rates.get(workerId) ?? Infinity)) this.#observe(workerId, most);
  }

  /** The worker got nothing of a step. If it was slow, it need not be so for ever. */
  leftOut(workerId: string): void {
    const rate = this.#rates.get(workerId);
    if (rate === undefined) return;
    const usual = median([...this.#rates.values()]);
    this.#rates.set(workerId, Math.max(rate, Math.min(rate * RECOVERY, usual)));
  }

  forget(workerId: string): void {
    this.#rates.delete(workerId);
    this.#warmUps.delete(workerId);
  }

  /**
   * The rates of these workers; for one that was not measured yet the median of the others.
   *
   * @returns undefined where none was measured
   */
  ratesOf(workerIds: readonly string[]): readonly number[] | undefined {
    const known = workerIds.flatMap((id) => this.#rates.get(id) ?? []);
    if (known.length === 0) return undefined;
    const byDefault = median(known);
    return workerIds.map((id) => this.#rates.get(id) ?? byDefault);
  }

  /** How long after its grant a lease is late: several times what leases take, within the bounds of the deadline. */
  lateAfterMs(
    kind: Kind,
    { earliestLateLeaseMs, lateLeaseMs }: Pick<Timeouts, "earliestLateLeaseMs" | "lateLeaseMs">,
  ): number {
    const durations = this.#durations[kind];
    if (durations.length < MIN_LEASES) return lateLeaseMs;
    const usualMs = LATE_MEDIANS * median(durations);
    return Math.min(lateLeaseMs, Math.max(earliestLateLeaseMs, usualMs));
  }

  #observe(workerId: string, rate: number): void {
    const numWarmUps = this.#warmUps.get(workerId) ?? 0;
    if (numWarmUps < WARM_UP_LEASES) {
      this.#warmUps.set(workerId, numWarmUps + 1);
      return;
    }
    const before = this.#rates.get(workerId) ?? rate;
    const bounded = Math.min(before * MAX_FACTOR, Math.max(before / MAX_FACTOR, rate));
    this.#rates.set(workerId, before * (bounded / before) ** SMOOTHING);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}
