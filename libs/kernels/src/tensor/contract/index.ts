/**
 * The kernel contract: the operations that take the time, by shape, whichever backend computes them.
 *
 * Each function checks shapes, then runs the kernel that the selected tfjs backend has registered
 * under its `Ostinato…` name, so a faster one can be registered per backend without a caller knowing.
 * What every registered kernel must hold:
 * - A row's result does not depend on the other rows of the batch, bit for bit.
 * - Outputs are new tensors, tracked by the caller's tidy scope; inputs are neither kept nor changed.
 * - `onTimeSteps` may throw: then nothing is left allocated.
 *
 * Letters: T time steps, B rows of the batch, H hidden size, N positions (any number of rows),
 * I inputs, O outputs, V vocabulary, E embedding size.
 */
export { embeddingGather, embeddingGradient } from "./embedding.js";
export { KERNEL_NAMES } from "./kernel-names.js";
export type { KernelName } from "./kernel-names.js";
export { linearGradient, matMulBias } from "./linear.js";
export { linearSoftmaxCrossEntropy, linearSoftmaxCrossEntropyGradient } from "./linear-loss.js";
export type {
  LinearSoftmaxCrossEntropyGradients,
  LinearSoftmaxCrossEntropyInputs,
} from "./linear-loss.js";
export {
  lstmSequenceBackward,
  lstmSequenceForward,
  TIME_STEPS_PER_REPORT,
} from "./lstm-sequence.js";
export type {
  LstmSequence,
  LstmSequenceBackwardInputs,
  LstmSequenceForwardInputs,
  OnTimeSteps,
} from "./lstm-sequence.js";
export { sequenceRows } from "./sequence-rows.js";
export type { SequenceBlock } from "./sequence-rows.js";
