/** How fast workers compute, measured by their leases, and when a lease is late. Pure. */

import type { Timeouts } from "@ostinato/runtime/timeouts";

type Kind = "train" | "evaluate";

/** The weight of the newest lease in a worker's rate: three leases tell most of it. */
const SMOOTHING = 0.3;
/** One lease says no more than this factor: a pause is no change of speed. */
const MAX_FACTOR = 4;
/** By a worker's first leases nothing is shared out: parameters are on their way to it, and its code is not yet compiled. */
const WARM_UP_LEASES = 2;
/** What is expected more, each step, of a worker that was left out, until it is asked and measured again. */
const RECOVERY = 1.02;

/** Leases of a kind that the median looks back on, and how many it needs. */
const WINDOW = 32;
const MIN_LEASES = 4;

/** A lease is late after so many times what leases take. */
const LATE_MEDIANS = 4;

/** The samples of a lease. */
export interface LeaseSamples {
  /** Of those leaves whose results the worker itself was first with. */
  readonly own: number;
  /** Of all of its leaves: more where others were first with some, which it may have computed too. */
  readonly all: number;
}

interface Estimate {
  readonly numLeases: number;
  /** As measured. */
  readonly rate: number;
  /** Not less, and more for one that has not been measured for a while. */
  expected: number;
}

/**
 * A worker's rate is in samples a millisecond, from the lease to the result: transfers and waiting count, as
 * the step waits for them too. Only training is measured; evaluations are shared out by the same rates.
 *
 * Nothing here reaches the result of a run: rates decide who computes what, and when it is asked for twice.
 */
export class LeasePace {
  readonly #estimates = new Map<string, Estimate>();
  readonly #durations: Record<Kind, number[]> = { train: [], evaluate: [] };

  /** The worker's result completed its lease, after `durationMs`. */
  completed(workerId: string, kind: Kind, samples: LeaseSamples, durationMs: number): void {
    const durations = this.#durations[kind];
    durations.push(durationMs);
    if (durations.length > WINDOW) durations.shift();
    if (kind === "train") this.#observe(workerId, samples, durationMs);
  }

  /** Somebody else was first with the rest of its lease, after `elapsedMs`. */
  overtaken(workerId: string, kind: Kind, samples: LeaseSamples, elapsedMs: number): void {
    if (kind === "train") this.#observe(workerId, samples, elapsedMs);
  }

  /** The worker got nothing of a step. If it was slow, it need not be so for ever. */
  leftOut(workerId: string): void {
    const estimate = this.#warm(workerId);
    if (estimate === undefined) return;
    const usual = median(
      [...this.#estimates.keys()].flatMap((id) => this.#warm(id)?.expected ?? []),
    );
    const { expected } = estimate;
    estimate.expected = Math.max(expected, Math.min(expected * RECOVERY, usual));
  }

  forget(workerId: string): void {
    this.#estimates.delete(workerId);
  }

  /** In samples a second, as measured; NaN before the worker's first lease is done. */
  speedOf(workerId: string): number {
    return 1000 * (this.#estimates.get(workerId)?.rate ?? NaN);
  }

  /**
   * The rates that are expected of these workers; of one that was not measured yet the median of the others.
   *
   * @returns undefined where none was measured
   */
  ratesOf(workerIds: readonly string[]): readonly number[] | undefined {
    const known = workerIds.flatMap((id) => this.#warm(id)?.expected ?? []);
    if (known.length === 0) return undefined;
    const byDefault = median(known);
    return workerIds.map((id) => this.#warm(id)?.expected ?? byDefault);
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

  /**
   * The worker's rate is something from that of what it delivered to that of all it was asked for. What it was
   * taken for stands if it is in between.
   */
  #observe(workerId: string, { own, all }: LeaseSamples, ms: number): void {
    // Leaves without samples are no measure.
    if (all === 0 || ms <= 0) return;
    const [least, most] = [own / ms, all / ms];
    const before = this.#warm(workerId);
    const observed = clamp(before?.expected ?? (own > 0 ? least : most), least, most);
    if (observed === before?.expected && least < most) return;
    const rate = before === undefined ? observed : follow(before, observed);
    const numLeases = (this.#estimates.get(workerId)?.numLeases ?? 0) + 1;
    this.#estimates.set(workerId, { numLeases, rate, expected: rate });
  }

  /** What leaves are shared out by. */
  #warm(workerId: string): Estimate | undefined {
    const estimate = this.#estimates.get(workerId);
    return (estimate?.numLeases ?? 0) > WARM_UP_LEASES ? estimate : undefined;
  }
}

/** More was expected in vain, or with reason: as far as the observation says so. */
function follow({ rate, expected }: Estimate, observed: number): number {
  const base = clamp(observed, rate, expected);
  return base * (clamp(observed, base / MAX_FACTOR, base * MAX_FACTOR) / base) ** SMOOTHING;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}
