/**
 * `@ostinato/lstm`: what learning is, on plain arrays. Model spec, parameter layout, initialization,
 * summary, optimizers, clipping, schedules, decisions; no TensorFlow, no network, no files, no clock.
 * The tensors are behind the other door, `@ostinato/lstm/model`.
 *
 * @example
 * const spec = compileModelSpec({ kind: 'languageModel', vocabularySize: 88, hiddenSize: 128 });
 * let parameters = initialParameters(spec, 7); // [parameterLayout(spec).size]
 * const update = createParameterUpdate({
 *   optimizer: compileOptimizerSpec({ kind: 'adam', beta2: 0.99 }),
 *   clipping: { kind: 'globalNorm', maxNorm: 1 },
 *   gradientNoise: null,
 *   layout: parameterLayout(spec), seed: 7,
 * });
 * const state = update.initialState();
 * // gradient: of the sum of the losses over `lossWeight` targets
 * const out = new Float32Array(parameters.length);
 * update.apply({ parameters, gradient, lossWeight, learningRate: 2e-3, step: 1, state, out });
 * parameters = out;
 *
 * @module
 */
export { clippingSchema, createClipping } from "./clipping/index.js";
export type { Clipping, ClippingSpec, ClipRequest, ClipResult } from "./clipping/index.js";
export {
  averagingStart,
  createDecisions,
  decisionStateSchema,
  earlyStoppingSchema,
} from "./decisions/index.js";
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
export { allowedBy, key, withDefaultKind, wholeNumber, wholeNumbers } from "./keys/index.js";
export {
  checkInitialization,
  initializationSchema,
  initialParameters,
} from "./initialization/index.js";
export type { InitializationSpec, InitializerSpec } from "./initialization/index.js";
export {
  matchingTensors,
  parameterLayout,
  requireMatchingTensors,
  stateShape,
  tensorView,
} from "./layout/index.js";
export type { ParameterLayout, StateShape, TensorLayout } from "./layout/index.js";
export {
  createLoss,
  ctcBeamSearchDecode,
  ctcGreedyDecode,
  lossSchema,
  lossUnit,
  targetShare,
} from "./losses/index.js";
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
  LossUnit,
  LossTotals,
  PositionCall,
  TargetKind,
  TargetSizes,
  ValuesLoss,
  WithGradient,
} from "./losses/index.js";
export { LstmError } from "./lstm-error.js";
export type { LstmErrorCode } from "./lstm-error.js";
export {
  averagingTriggerOf,
  brokenOptimizerRule,
  compileOptimizerSpec,
  createOptimizer,
  evaluatedParameters,
  firstAveragedUpdate,
  keepsAverage,
  OPTIMIZER_KEYS,
  optimizerSchema,
} from "./optimizers/index.js";
export type {
  BrokenOptimizerRule,
  Optimizer,
  OptimizerKind,
  OptimizerSpec,
  OptimizerState,
  OptimizerUpdate,
  ParameterGroup,
} from "./optimizers/index.js";
export { randomWords } from "./random/index.js";
export {
  compileSchedule,
  learningRateAt,
  scheduleProblem,
  scheduleSchema,
} from "./schedules/index.js";
export type { LearningRateSchedule, SchedulePoint, ScheduleProblem } from "./schedules/index.js";
export {
  brokenEncoderDecoderRule,
  brokenLanguageModelRule,
  brokenSequenceModelRule,
  compileLanguageModelSpec,
  compileModelSpec,
  ENCODER_DECODER_KEYS,
  LANGUAGE_MODEL_KEYS,
  SEQUENCE_MODEL_KEYS,
  SEQUENCE_STACK_KEYS,
  sequenceModelOfData,
} from "./spec/index.js";
export type {
  BrokenRule,
  EncoderDecoderSpec,
  LanguageModelSpec,
  ModelSpec,
  RecurrentStackSpec,
  SequenceDataSizes,
  SequenceModelKeys,
  SequenceModelSpec,
} from "./spec/index.js";
export {
  flattenMoments,
  initialStatistics,
  mergeMoments,
  mergeMomentsInTreeOrder,
  momentsProblem,
  momentsSize,
  statisticsAfterStep,
  statisticsLayout,
  unflattenMoments,
  updateStatistics,
} from "./statistics/index.js";
export type { Moments, StatisticsEntry, StatisticsLayout } from "./statistics/index.js";
export { formatSummary, modelSummary } from "./summary/index.js";
export type { LayerSummary, MemorySummary, ModelSummary, SummaryOptions } from "./summary/index.js";
export { addingProblem, copyTask, copyTaskSizes } from "./tasks/index.js";
export type { CopyTaskOptions, DrawnRows } from "./tasks/index.js";
export { bitsPerSymbol } from "./units/index.js";
export {
  createParameterUpdate,
  gradientNoiseSchema,
  LEARNING_RATE_KEYS,
  UPDATE_KEYS,
} from "./update/index.js";
export type {
  GradientNoise,
  ParameterUpdateOptions,
  ParameterUpdater,
  UpdateRequest,
  UpdateResult,
} from "./update/index.js";
