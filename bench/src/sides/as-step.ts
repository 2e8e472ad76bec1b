import type { MeasuredCase, TrainingStep } from "../cases/index.js";
import type { Side } from "./side.js";

/** A side that does other work than a training step itself, of the same sizes. */
export function asStep(
  side: Side<MeasuredCase>,
  name: string,
  workOf: (step: TrainingStep) => MeasuredCase,
): Side<TrainingStep> {
  return {
    name,
    prepare: (step) => side.prepare(workOf(step)),
    measure: (seconds) => side.measure(seconds),
    close: () => side.close(),
  };
}
