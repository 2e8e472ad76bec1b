/**
 * One pass over one batch: what all layers share. A layer computes what is per row for all rows at
 * once, and what is summed over positions leaf by leaf.
 */
export { Padding } from "./padding.js";
export { asOneStep, PackedRows } from "./packed-rows.js";
export type { PackedRow } from "./packed-rows.js";
export { ParameterTensors } from "./parameter-tensors.js";
export type { SetParametersOptions } from "./parameter-tensors.js";
export {
  afterFirst,
  asRows,
  asSequence,
  beforeLast,
  columnSums,
  emitLeafGradients,
  leafGradients,
  leafNodes,
  nodesOf,
  nodeSums,
  perNode,
  positionsOf,
} from "./pass.js";
export type {
  OnGradient,
  OnStatistics,
  Pass,
  RunningMoments,
  TrainingKey,
  WantedNodes,
} from "./pass.js";
export type {
  GateActivations,
  GateName,
  ObservedDirection,
  ObservedGradients,
  PassObserver,
} from "./pass-observer.js";
export { Progress } from "./progress.js";
export type { ComputePhase, ProgressOptions } from "./progress.js";
export { inTensorScope } from "./tensor-scope.js";
