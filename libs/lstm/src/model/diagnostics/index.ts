/**
 * Vanishing and exploding gradients made visible: what a model's gradients are per tensor, per layer and
 * per distance in time, how saturated its gates are, and how much an update changes it.
 *
 * @example
 * const trainer = createTrainer({ model, seed: 1, optimizer: { kind: "adam" }, learningRate: 1e-3 });
 * const lastStep = { batch: sequenceLastStep(model.spec, batch) };
 * const { layers } = diagnose({ model, trainer, input: { batch }, lastStep, seed: 1 });
 * layers[0].byDistance.hidden.norms; // [T]: how much of the last step's loss reaches back k steps
 */
export { diagnose } from "./diagnose.js";
export type {
  DiagnosedUpdate,
  DiagnoseOptions,
  Diagnosis,
  LayerDiagnosis,
  LayerDistances,
} from "./diagnose.js";
export { gateSaturation } from "./gate-saturation.js";
export type { GateActivation, GateSaturation } from "./gate-saturation.js";
export { gradientNorms } from "./gradient-norms.js";
export type { GradientNorms, NamedNorm } from "./gradient-norms.js";
export { pairsLastStep, sequenceLastStep, tokensLastStep } from "./last-step.js";
export {
  factorPerStep,
  gateNormsByDistance,
  hiddenNormsByDistance,
  outputGradientNorm,
} from "./norms-by-distance.js";
export type { NormsByDistance } from "./norms-by-distance.js";
export { recordLayers } from "./observed-layers.js";
export type { ObservedLayer } from "./observed-layers.js";
export { updateRatios } from "./update-ratios.js";
export type { UpdateRatio } from "./update-ratios.js";
