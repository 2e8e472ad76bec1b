/**
 * The recurrent layers of the native backend, compiled.
 *
 * @example
 * const [hidden, activations] = rnnSequenceForward({ inputs, attrs: { activation: "tanh" }, backend });
 */
export type { SequenceFunctions } from "./sequence-functions.js";
export { gruSequenceBackward, gruSequenceForward } from "./gru-sequence.js";
export { lstmSequenceBackward, lstmSequenceForward } from "./lstm-sequence.js";
export {
  lstmVariantSequenceBackward,
  lstmVariantSequenceForward,
} from "./lstm-variant-sequence.js";
export { rnnSequenceBackward, rnnSequenceForward } from "./rnn-sequence.js";
