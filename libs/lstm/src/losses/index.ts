/**
 * Losses over the outputs of a model's head, and how label sequences are read from outputs.
 *
 * @example
 * const loss = createLoss({ kind: "quantile", quantiles: [0.1, 0.5, 0.9] }, { numTargets: 2 });
 * loss.outputSize; // 6: for each of the 2 target values one output a quantile
 * const { lossSum, lossWeight } = loss.gradient({ outputs, numRows, targets, weights, outputGradient });
 */
export { createLoss } from "./create-loss.js";
export type { TargetSizes } from "./create-loss.js";
export { ctcBeamSearchDecode, ctcGreedyDecode } from "./ctc/index.js";
export type { CtcBeamSearchRequest, CtcDecodeRequest, CtcHypothesis } from "./ctc/index.js";
export { brokenLossRule, lossSchema, lossUnit, targetShare } from "./loss-spec.js";
export type { LossOptions, LossSpec, LossUnit } from "./loss-spec.js";
export type {
  ClassesLoss,
  LabelSequencesCall,
  LabelSequencesLoss,
  Loss,
  LossTotals,
  PositionCall,
  TargetKind,
  ValuesLoss,
  WithGradient,
} from "./loss.js";
