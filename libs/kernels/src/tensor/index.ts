/**
 * `@ostinato/kernels/tensor`: the operations that take the time, on tfjs tensors, by backend.
 *
 * @example
 * await selectBackend('wasm');
 * const { hidden } = tidy(() =>
 *   lstmSequenceForward({ inputGates, recurrentKernel, initialHidden, initialCell }),
 * );
 */
export { BACKEND_NAMES, selectBackend } from "./backends.js";
export type { BackendName } from "./backends.js";
export { KernelError } from "./kernel-error.js";
export type { KernelErrorCode } from "./kernel-error.js";
export {
  embeddingGather,
  embeddingGradient,
  linearGradient,
  linearSoftmaxCrossEntropy,
  linearSoftmaxCrossEntropyGradient,
  lstmSequenceBackward,
  lstmSequenceForward,
  matMulBias,
  sequenceRows,
} from "./contract/index.js";
export type {
  LinearSoftmaxCrossEntropyGradients,
  LinearSoftmaxCrossEntropyInputs,
  LstmSequence,
  LstmSequenceBackwardInputs,
  LstmSequenceForwardInputs,
  OnTimeSteps,
  SequenceBlock,
} from "./contract/index.js";
export { numericsProfile } from "./numerics-profile.js";
export type { NumericsProfile } from "./numerics-profile.js";
