/**
 * Sequence models: values or tokens → recurrent layers → head → any loss, over sequences of any lengths.
 *
 * @example
 * const model = createSequenceModel(spec);
 * model.setParameters(initialParameters(spec, seed));
 * const outcomes = model.computeGradients({ batch, seed, step, onGradient });
 * const outputs = model.predict(batch); // [T,B,O], or [B,O] of the last step
 */
export type { SequenceBatch, SequenceInputs } from "./sequence-batch.js";
export { createSequenceModel } from "./sequence-model.js";
export type {
  SequenceEvaluateOptions,
  SequenceGradientsOptions,
  SequenceModel,
} from "./sequence-model.js";
export { predictTensor, sequenceBatch } from "./sequence-tensors.js";
export type { SequenceTensors } from "./sequence-tensors.js";
