import { z } from "zod";

import type { AveragingTriggerSpec } from "./decision-keys.js";
import { OPTIONAL_COUNT, OPTIONAL_NUMBER } from "./state-keys.js";

export const averagingStateSchema = z
  .strictObject({
    /** The newest losses, the newest last; null for one that was not finite. */
    recent: z.array(OPTIONAL_NUMBER).readonly(),
    /** The best of those before; null if there is none. */
    bestBefore: OPTIONAL_NUMBER,
    /** The step whose evaluation started the averaging; null before that. */
    startStep: OPTIONAL_COUNT,
    /** The updates made by then: fewer than the steps where some of these were left out. */
    startUpdate: OPTIONAL_COUNT,
  })
  .readonly();

export type AveragingState = z.output<typeof averagingStateSchema>;

export const NOT_AVERAGING: AveragingState = {
  recent: [],
  bestBefore: null,
  ...{ startStep: null, startUpdate: null },
};

/**
 * One evaluation of NT-ASGD (Merity et al. 2018, "Regularizing and Optimizing LSTM Language Models",
 * Algorithm 1): with n = nonmonotonicInterval, averaging starts at the first loss that is worse than
 * the best of those before the last n. A loss that is not finite starts nothing and is never the best.
 */
export function watchForAveraging(
  { nonmonotonicInterval }: AveragingTriggerSpec,
  state: AveragingState,
  evaluation: { readonly step: number; readonly numUpdates?: number; readonly loss: number },
): AveragingState {
  const { recent, bestBefore, startStep } = state;
  const { step, numUpdates = step, loss } = evaluation;
  // Once it has started, nothing more is logged.
  if (startStep !== null) return state;
  const isWorse = bestBefore !== null && loss > bestBefore;
  const all = [...recent, Number.isFinite(loss) ? loss : null];
  const [oldest] = all;
  const isFull = all.length > nonmonotonicInterval;
  return {
    recent: isFull ? all.slice(1) : all,
    bestBefore: isFull ? lower(bestBefore, oldest ?? null) : bestBefore,
    startStep: isWorse ? step : null,
    startUpdate: isWorse ? numUpdates : null,
  };
}

/**
 * The update, counted from 1, whose parameters are the first in the average: the one after the evaluation
 * that started it. Undefined before that, and where no evaluation starts it: see `OptimizerUpdate`.
 */
export function averagingStart({
  averaging,
}: {
  readonly averaging: AveragingState | null;
}): number | undefined {
  const startUpdate = averaging?.startUpdate ?? undefined;
  return startUpdate === undefined ? undefined : startUpdate + 1;
}

function lower(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
