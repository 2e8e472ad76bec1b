/** What share of its peak a schedule has after t steps of its own. */

import { pow } from "../portable/index.js";
import { halfTurnCosine } from "./half-turn-cosine.js";
import type { ScheduleOf } from "./schedule-keys.js";

/**
 * φ + (1 − φ)·(1 − t/T)^p, then φ; PyTorch's PolynomialLR is that with φ = 0.
 *
 * @param total T, above 0
 */
export function polynomialShape(
  { finalFraction, power }: ScheduleOf<"polynomial">,
  t: number,
  total: number,
): number {
  return t >= total ? finalFraction : above(finalFraction, pow(1 - t / total, power));
}

/** φ + (1 − φ)·(1 + cos(π·t/T))/2, then φ: PyTorch's CosineAnnealingLR with T_max = T. */
export function cosineShape(finalFraction: number, t: number, total: number): number {
  return t >= total ? finalFraction : above(finalFraction, (1 + halfTurnCosine(t / total)) / 2);
}

/**
 * The cosine over and over, period i being firstPeriod·periodFactorⁱ steps long: SGDR (Loshchilov and
 * Hutter 2017), PyTorch's CosineAnnealingWarmRestarts.
 */
export function restartsShape(schedule: ScheduleOf<"cosineRestarts">, t: number): number {
  const { firstPeriod, periodFactor, finalFraction } = schedule;
  let [rest, period] = [t, firstPeriod];
  if (periodFactor === 1) rest %= period;
  // Else at most 32 periods, as each is twice as long at least.
  while (rest >= period) {
    rest -= period;
    period *= periodFactor;
  }
  return cosineShape(finalFraction, rest, period);
}

/**
 * Up from 1/initialDivisor to 1, down to 1/(initialDivisor·finalDivisor), then level: Smith and Topin
 * 2018, PyTorch's OneCycleLR in two phases, which leaves momentum alone. The peak lies at
 * warmupFraction·T − 1, which need not be a whole step.
 */
export function oneCycleShape(schedule: ScheduleOf<"oneCycle">, t: number, total: number): number {
  const { warmupFraction, initialDivisor, finalDivisor, anneal } = schedule;
  const first = 1 / initialDivisor;
  const last = first / finalDivisor;
  const peak = warmupFraction * total - 1;
  const end = total - 1;
  const between = anneal === "cosine" ? halfCosine : straightLine;
  if (t <= peak) return between(first, 1, t / peak);
  return t >= end ? last : between(1, last, (t - peak) / (end - peak));
}

/** Exactly 1 where nothing has gone yet. */
function above(finalFraction: number, remaining: number): number {
  return remaining === 1 ? 1 : finalFraction + (1 - finalFraction) * remaining;
}

function halfCosine(from: number, to: number, progress: number): number {
  return to + ((from - to) / 2) * (1 + halfTurnCosine(progress));
}

function straightLine(from: number, to: number, progress: number): number {
  return from + (to - from) * progress;
}
