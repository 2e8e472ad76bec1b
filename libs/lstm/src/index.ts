/**
 * `@ostinato/lstm`: what learning is, on plain arrays. Model spec, parameter layout, initialization,
 * optimizers, clipping, schedules, decisions; no TensorFlow, no network, no files, no clock.
 * The tensors are behind the other door, `@ostinato/lstm/model`.
 *
 * @example
 * const spec = compileModelSpec({ kind: 'languageModel', vocabularySize: 88, hiddenSize: 128 });
 * let parameters = initialParameters(spec, 7); // [parameterLayout(spec).size]
 * const optimizer = createOptimizer({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
 * const state = optimizer.initialState(parameters.length);
 * // gradient: of the sum of the losses over `lossWeight` targets
 * const clip = globalNormClip({ sumOfSquares: sumOfSquares(gradient), lossWeight, maxNorm: 1 });
 * const out = new Float32Array(parameters.length);
 * optimizer.update({ parameters, gradient, state, learningRate: 2e-3, gradientScale: clip.scale, out });
 * parameters = out;
 *
 * @module
 */
export { globalNormClip } from "./clipping/index.js";
export type { ClipRequest, ClipResult } from "./clipping/index.js";
export { createDecisions, decisionStateSchema, earlyStoppingSchema } from "./decisions/index.js";
export type {
  AveragingTriggerSpec,
  Decided,
  Decisions,
  DecisionsSpec,
  DecisionState,
  EarlyStoppingSpec,
  Evaluation,
  PlateauSpec,
  StopReason,
} from "./decisions/index.js";
export { allowedBy, key } from "./keys/index.js";
export { initializationSchema, initialParameters } from "./initialization/index.js";
export type { InitializationSpec, InitializerSpec } from "./initialization/index.js";
export {
  matchingTensors,
  parameterLayout,
  requireMatchingTensors,
  stateShape,
  tensorView,
} from "./layout/index.js";
export type { ParameterLayout, StateShape, TensorLayout } from "./layout/index.js";
export { createLoss, ctcBeamSearchDecode, ctcGreedyDecode, lossSchema } from "./losses/index.js";
export type {
  ClassesLoss,
  CtcBeamSearchRequest,
  CtcDecodeRequest,
  CtcHypothesis,
  LabelSequencesCall,
  LabelSequencesLoss,
  Loss,
  LossOptions,
  LossSpec,
  LossTotals,
  PositionCall,
  TargetKind,
  TargetSizes,
  ValuesLoss,
  WithGradient,
} from "./losses/index.js";
export { LstmError } from "./lstm-error.js";
export type { LstmErrorCode } from "./lstm-error.js";
export { createOptimizer } from "./optimizers/index.js";
export type {
  AdamSpec,
  MomentumSpec,
  Optimizer,
  OptimizerSpec,
  OptimizerState,
  OptimizerUpdate,
  RmspropSpec,
  SgdSpec,
} from "./optimizers/index.js";
export {
  compileSchedule,
  learningRateAt,
  scheduleProblem,
  scheduleSchema,
} from "./schedules/index.js";
export type { LearningRateSchedule, SchedulePoint, ScheduleProblem } from "./schedules/index.js";
export {
  brokenLanguageModelRule,
  compileLanguageModelSpec,
  compileModelSpec,
  LANGUAGE_MODEL_KEYS,
} from "./spec/index.js";
export type {
  BrokenRule,
  LanguageModelSpec,
  ModelSpec,
  RecurrentStackSpec,
  SequenceModelSpec,
} from "./spec/index.js";
export {
  initialStatistics,
  mergeMoments,
  mergeMomentsInTreeOrder,
  statisticsLayout,
  updateStatistics,
} from "./statistics/index.js";
export type { Moments, StatisticsEntry, StatisticsLayout } from "./statistics/index.js";
export { addingProblem, copyTask, copyTaskSizes } from "./tasks/index.js";
export type { CopyTaskOptions, DrawnRows } from "./tasks/index.js";
export { bitsPerSymbol } from "./units/index.js";
