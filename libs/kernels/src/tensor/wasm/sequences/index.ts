/**
 * The recurrent layers' kernels for the wasm backend.
 *
 * @example
 * const [hidden, activations] = rnnSequenceForward({ inputs, attrs: { activation: "tanh" }, backend });
 */
export { gruSequenceBackward } from "./gru-gradients.js";
export { gruSequenceForward } from "./gru-sequence.js";
export { lstmSequenceBackward, lstmSequenceForward } from "./lstm-sequence.js";
export { lstmVariantSequenceBackward } from "./lstm-variant-gradients.js";
export { lstmVariantSequenceForward } from "./lstm-variant-sequence.js";
export { rnnSequenceBackward, rnnSequenceForward } from "./rnn-sequence.js";
