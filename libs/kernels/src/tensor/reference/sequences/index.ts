/**
 * The reference kernels of the recurrent layers.
 *
 * @example
 * const [hidden, activations] = rnnSequenceForward({ inputs, attrs: { activation: "tanh" }, backend });
 */
export { gruSequenceBackward, gruSequenceForward } from "./gru-sequence.js";
export type { GruAttributes, GruBackwardTensors, GruForwardTensors } from "./gru-sequence.js";
export { lstmSequenceBackward, lstmSequenceForward } from "./lstm-sequence.js";
export { lstmVariantSequenceBackward } from "./lstm-variant-gradients.js";
export type {
  LstmVariantBackwardAttributes,
  LstmVariantBackwardTensors,
} from "./lstm-variant-gradients.js";
export type {
  LstmVariantForwardAttributes,
  LstmVariantForwardTensors,
} from "./lstm-variant-sequence.js";
export { lstmVariantSequenceForward } from "./lstm-variant-sequence.js";
export { rnnSequenceBackward, rnnSequenceForward } from "./rnn-sequence.js";
export type { RnnAttributes, RnnBackwardTensors, RnnForwardTensors } from "./rnn-sequence.js";
