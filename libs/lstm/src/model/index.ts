/**
 * `@ostinato/lstm/model`: the models on tfjs tensors, forward and backward.
 *
 * @example
 * await selectBackend('wasm'); // from @ostinato/kernels/tensor
 * const model = createLanguageModel(spec);
 * model.setParameters(initialParameters(spec, seed));
 * const outcomes = model.computeGradients({ batch, states, seed, step, onGradient });
 * model.dispose();
 */
export { selectBackend } from "@ostinato/kernels/tensor";

export {
  createLanguageModel,
  generate,
  predictNextTensor,
  tokenBatch,
  zeroStates,
} from "./language-model/index.js";
export type {
  ComputeGradientsOptions,
  EvaluateOptions,
  GenerateOptions,
  LanguageModel,
  TokenBatch,
  TokenTensors,
} from "./language-model/index.js";
export { createEncoderDecoder, pairBatch, translateTensor } from "./encoder-decoder/index.js";
export type {
  EncoderDecoder,
  Hypothesis,
  PairBatch,
  PairEvaluateOptions,
  PairGradientsOptions,
  PairTensors,
  TokenSequences,
  TranslatedTensors,
  TranslateOptions,
} from "./encoder-decoder/index.js";
export { createSequenceModel, predictTensor, sequenceBatch } from "./sequence-model/index.js";
export type {
  SequenceBatch,
  SequenceEvaluateOptions,
  SequenceGradientsOptions,
  SequenceInputs,
  SequenceModel,
  SequenceTensors,
} from "./sequence-model/index.js";
export type { BatchLeaf } from "./batch-leaves.js";
export {
  diagnose,
  factorPerStep,
  gateNormsByDistance,
  gateSaturation,
  gradientNorms,
  hiddenNormsByDistance,
  outputGradientNorm,
  pairsLastStep,
  recordLayers,
  sequenceLastStep,
  tokensLastStep,
  updateRatios,
} from "./diagnostics/index.js";
export type {
  DiagnosedUpdate,
  DiagnoseOptions,
  Diagnosis,
  GateActivation,
  GateSaturation,
  GradientNorms,
  LayerDiagnosis,
  LayerDistances,
  NamedNorm,
  NormsByDistance,
  ObservedLayer,
  UpdateRatio,
} from "./diagnostics/index.js";
export type {
  ComputePhase,
  GateActivations,
  GateName,
  ObservedDirection,
  ObservedGradients,
  OnGradient,
  WantedNodes,
  PassObserver,
  ProgressOptions,
  SetParametersOptions,
} from "./pass/index.js";
export type { LeafOutcome } from "./leaf-outcome.js";
export { createTrainer } from "./training/index.js";
export type {
  StepResult,
  Trainable,
  Trainer,
  TrainerOptions,
  TrainerSettingsInput,
  TrainerState,
} from "./training/index.js";
