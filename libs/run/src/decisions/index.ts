/**
 * The decisions of a run, from its config and from the evaluations in its ledger.
 *
 * @example
 * const decisions = decisionsOf(config);
 * const { learningRateFactor, stop } = replayDecisions(decisions, ledger.records);
 */
export { decisionsOf, lossOf, replayDecisions } from "./run-decisions.js";
