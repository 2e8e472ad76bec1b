/**
 * What a run decides from the losses of its validation part: the best parameters so far, lower
 * learning rates on a plateau, the early end, the start of averaging.
 *
 * @example
 * const decisions = createDecisions({
 *   plateau: null, earlyStopping: { patience: 2, minDelta: 0 }, averaging: null,
 * });
 * let state = decisions.initialState();
 * for (const loss of [3, 2, 2.5, 2.25]) {
 *   const decided = decisions.afterEvaluation(state, { step: state.evaluatedStep + 10, loss });
 *   state = decided.state; // plain JSON
 *   if (decided.shouldStop !== undefined) break; // at step 40; state.best is { step: 20, loss: 2 }
 * }
 */
export { averagingStart } from "./averaging-trigger.js";
export {
  averagingTriggerKeys,
  earlyStoppingSchema,
  optionalIntervalKey,
  plateauKeys,
} from "./decision-keys.js";
export type {
  AveragingTriggerSpec,
  DecisionsSpec,
  EarlyStoppingSpec,
  PlateauSpec,
} from "./decision-keys.js";
export { createDecisions, decisionStateSchema } from "./decisions.js";
export type { Decided, Decisions, DecisionState, Evaluation, StopReason } from "./decisions.js";
