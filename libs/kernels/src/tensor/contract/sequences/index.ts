/**
 * The recurrent layers, all time steps in one call: forward returns what backward needs, backward
 * returns gradients per position, of which the caller forms a leaf's weight gradients.
 *
 * @example
 * const sequence = gruSequenceForward({ inputGates, recurrentKernel, resetAfter, initialHidden });
 * const { gateGradients } = gruSequenceBackward({
 *   ...sequence,
 *   hiddenGradient,
 *   recurrentKernelTransposed,
 *   resetAfter,
 * });
 */
export { gruSequenceBackward, gruSequenceForward } from "./gru-sequence.js";
export type {
  GruSequence,
  GruSequenceBackwardInputs,
  GruSequenceForwardInputs,
  GruSequenceGradients,
} from "./gru-sequence.js";
export { lstmSequenceBackward, lstmSequenceForward } from "./lstm-sequence.js";
export type {
  LstmSequence,
  LstmSequenceBackwardInputs,
  LstmSequenceForwardInputs,
  LstmSequenceGradients,
} from "./lstm-sequence.js";
export { lstmVariantSequenceBackward } from "./lstm-variant-gradients.js";
export type {
  LstmVariantGradients,
  LstmVariantSequenceBackwardInputs,
} from "./lstm-variant-gradients.js";
export type { LstmLayerNorm, LstmVariantOptions, LstmZoneout } from "./lstm-variant-options.js";
export { lstmVariantSequenceForward } from "./lstm-variant-sequence.js";
export type {
  LstmVariantSequence,
  LstmVariantSequenceForwardInputs,
} from "./lstm-variant-sequence.js";
export { rnnSequenceBackward, rnnSequenceForward } from "./rnn-sequence.js";
export type {
  RnnActivation,
  RnnSequence,
  RnnSequenceBackwardInputs,
  RnnSequenceForwardInputs,
  RnnSequenceGradients,
} from "./rnn-sequence.js";
export { TIME_STEPS_PER_REPORT } from "./time-steps.js";
export type { OnTimeSteps } from "./time-steps.js";
