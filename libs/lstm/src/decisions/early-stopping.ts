import { z } from "zod";

import type { EarlyStoppingSpec } from "./decision-keys.js";
import { COUNT, OPTIONAL_NUMBER } from "./state-keys.js";

export const earlyStoppingStateSchema = z
  .strictObject({
    /** The best loss that was an improvement; null before the first. */
    best: OPTIONAL_NUMBER,
    /** Evaluations in a row without improvement. */
    numBad: COUNT,
  })
  .readonly();

export type EarlyStoppingState = z.output<typeof earlyStoppingStateSchema>;

export const NOTHING_SEEN: EarlyStoppingState = { best: null, numBad: 0 };

/**
 * One evaluation (Prechelt 1998; counted as Keras's EarlyStopping does): a loss below
 * `best − minDelta` is an improvement, and `patience` evaluations in a row without one end training.
 * A loss that is not finite is no improvement.
 */
export function watchForStop(
  { patience, minDelta }: EarlyStoppingSpec,
  { best, numBad }: EarlyStoppingState,
  loss: number,
): { readonly state: EarlyStoppingState; readonly isOver: boolean } {
  if (Number.isFinite(loss) && (best === null || loss < best - minDelta)) {
    return { state: { best: loss, numBad: 0 }, isOver: false };
  }
  return { state: { best, numBad: numBad + 1 }, isOver: numBad + 1 >= patience };
}
