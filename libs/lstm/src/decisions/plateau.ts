import { z } from "zod";

import type { PlateauSpec } from "./decision-keys.js";
import { COUNT, OPTIONAL_NUMBER } from "./state-keys.js";

export const plateauStateSchema = z
  .strictObject({
    /** The best loss that was an improvement; null before the first. */
    best: OPTIONAL_NUMBER,
    /** Evaluations in a row without improvement. */
    numBad: COUNT,
    cooldownLeft: COUNT,
  })
  .readonly();

export type PlateauState = z.output<typeof plateauStateSchema>;

export const NO_PLATEAU: PlateauState = { best: null, numBad: 0, cooldownLeft: 0 };

/**
 * One evaluation as PyTorch's ReduceLROnPlateau (mode "min", eps 0) takes it, in the same order: the
 * improvement, the cooldown, which forgets bad evaluations, and then the reduction. A loss that is not
 * finite is no improvement.
 *
 * @param factor what the peak learning rate is multiplied with so far
 */
export function watchPlateau(
  spec: PlateauSpec,
  state: PlateauState,
  loss: number,
  factor: number,
): { readonly state: PlateauState; readonly factor: number } {
  const { best, numBad, cooldownLeft } = state;
  const isImprovement = Number.isFinite(loss) && (best === null || loss < boundOf(spec, best));
  const isCooling = cooldownLeft > 0;
  const badNow = isImprovement || isCooling ? 0 : numBad + 1;
  const next = {
    best: isImprovement ? loss : best,
    numBad: badNow,
    cooldownLeft: isCooling ? cooldownLeft - 1 : 0,
  };
  if (badNow <= spec.patience) return { state: next, factor };
  return {
    state: { ...next, numBad: 0, cooldownLeft: spec.cooldown },
    factor: Math.max(factor * spec.factor, spec.minFraction),
  };
}

/** What a loss must be below. */
function boundOf({ threshold, thresholdMode }: PlateauSpec, best: number): number {
  switch (thresholdMode) {
    case "rel":
      return best * (1 - threshold);
    case "abs":
      return best - threshold;
    default:
      return thresholdMode satisfies never;
  }
}
