import { z } from "zod";

import { compileKeys } from "../keys/index.js";
import { averagingStateSchema, NOT_AVERAGING, watchForAveraging } from "./averaging-trigger.js";
import { decisionsSchema } from "./decision-keys.js";
import type { DecisionsSpec } from "./decision-keys.js";
import { earlyStoppingStateSchema, NOTHING_SEEN, watchForStop } from "./early-stopping.js";
import { NO_PLATEAU, plateauStateSchema, watchPlateau } from "./plateau.js";
import { COUNT, NUMBER, STOP_REASON } from "./state-keys.js";

/** What reads a state back from JSON. */
export const decisionStateSchema = z
  .strictObject({
    /** The newest step whose evaluation was taken in; 0 before the first. */
    evaluatedStep: COUNT,
    /** The lowest loss so far; null before the first that is finite. */
    best: z.strictObject({ step: COUNT, loss: NUMBER }).readonly().nullable(),
    /** What the schedule's learning rate is multiplied with. */
    learningRateFactor: NUMBER,
    /** Why training ends before its epochs do, and after which step; null while it goes on. */
    stop: z.strictObject({ reason: STOP_REASON, step: COUNT }).readonly().nullable(),
    plateau: plateauStateSchema.nullable(),
    earlyStopping: earlyStoppingStateSchema.nullable(),
    averaging: averagingStateSchema.nullable(),
  })
  .readonly();

/** Everything that later decisions depend on: plain JSON, part of every checkpoint. */
export type DecisionState = z.output<typeof decisionStateSchema>;

export type StopReason = NonNullable<DecisionState["stop"]>["reason"];

export interface Evaluation {
  /** The step after which it took place. */
  readonly step: number;
  /** The updates made by then: `step` unless given, fewer where steps were left out. */
  readonly numUpdates?: number;
  /** Mean loss of the validation part; may be NaN, which improves nothing. */
  readonly loss: number;
}

export interface Decided {
  readonly state: DecisionState;
  /** Whether this evaluation is the best so far. */
  readonly isBest: boolean;
  /** What the learning rates of the following steps are multiplied with. */
  readonly learningRateFactor: number;
  /** Why training ends here; undefined if it goes on. */
  readonly shouldStop: StopReason | undefined;
  /** The parameters are averaged from those after this step on; undefined: not yet. */
  readonly averagingStartStep: number | undefined;
}

/** Pure: the same evaluations lead to the same decisions, on every machine and after a resume. */
export interface Decisions {
  initialState(): DecisionState;
  /** Takes in one evaluation, in the order of the steps. */
  afterEvaluation(state: DecisionState, evaluation: Evaluation): Decided;
}

/** @throws {LstmError} `invalidDecisions` naming the key, its value and what is allowed */
export function createDecisions(raw: DecisionsSpec): Decisions {
  const spec = compileKeys(decisionsSchema, raw, { code: "invalidDecisions", group: "decisions" });
  return {
    initialState: () => ({
      evaluatedStep: 0,
      best: null,
      learningRateFactor: 1,
      stop: null,
      plateau: spec.plateau && NO_PLATEAU,
      earlyStopping: spec.earlyStopping && NOTHING_SEEN,
      averaging: spec.averaging && NOT_AVERAGING,
    }),
    afterEvaluation: (state, evaluation) => decide(spec, state, evaluation),
  };
}

function decide(spec: DecisionsSpec, before: DecisionState, evaluation: Evaluation): Decided {
  const { loss, step: evaluatedStep } = evaluation;
  const isBest = Number.isFinite(loss) && (before.best === null || loss < before.best.loss);
  const plateau =
    spec.plateau &&
    watchPlateau(spec.plateau, before.plateau ?? NO_PLATEAU, loss, before.learningRateFactor);
  const stopping =
    spec.earlyStopping &&
    watchForStop(spec.earlyStopping, before.earlyStopping ?? NOTHING_SEEN, loss);
  const averaging =
    spec.averaging &&
    watchForAveraging(spec.averaging, before.averaging ?? NOT_AVERAGING, evaluation);
  const state: DecisionState = {
    evaluatedStep,
    best: isBest ? { step: evaluatedStep, loss } : before.best,
    learningRateFactor: plateau?.factor ?? before.learningRateFactor,
    stop:
      before.stop ??
      (stopping?.isOver === true ? { reason: "earlyStopping", step: evaluatedStep } : null),
    plateau: plateau && plateau.state,
    earlyStopping: stopping && stopping.state,
    averaging,
  };
  return {
    state,
    isBest,
    learningRateFactor: state.learningRateFactor,
    shouldStop: state.stop?.reason,
    averagingStartStep: averaging?.startStep ?? undefined,
  };
}
