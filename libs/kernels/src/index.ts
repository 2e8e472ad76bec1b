/**
 * `@ostinato/kernels`: the coordinator's arithmetic on flat float32 arrays, and the geometry of the
 * gradient tree. No TensorFlow.
 *
 * Every operation is defined to the bit: the result of each float32 operation is rounded to float32,
 * scalars are computed once in float64 and rounded once, and sums have a fixed order. The
 * loops in TypeScript are the definition. Where the addon was compiled (native/) its loops are called
 * instead: they give the same bits, several times faster.
 *
 * @example
 * const gradient = sumLeavesInTreeOrder(leaves); // [size] each
 * const norm = Math.sqrt(sumOfSquares(gradient)) / lossWeight;
 * if (firstNonFinite(gradient) === -1) {
 *   sgdUpdate({ parameters, gradient, out, gradientScale: 1 / lossWeight, learningRate: 0.1 });
 * }
 */
export {
  adagradUpdate,
  adamUpdate,
  addScaled,
  amsgradUpdate,
  averagedSgdUpdate,
  childrenOf,
  clampValues,
  columnSumsOfSquares,
  compiledCrc32,
  decayGradient,
  firstNonFinite,
  firstNotBfloat16,
  integerPower,
  isNodeOf,
  lambUpdate,
  momentumUpdate,
  nodeContains,
  nodesCovering,
  parentOf,
  rmspropMomentumUpdate,
  rmspropUpdate,
  roundToBfloat16,
  scaleColumns,
  scaleValues,
  sgdUpdate,
  siblingOf,
  sumLeavesInTreeOrder,
  sumOfSquares,
  treeAdd,
} from "./flat/index.js";
export type {
  AdagradUpdate,
  AdamUpdate,
  AmsgradUpdate,
  AveragedSgdUpdate,
  LambUpdate,
  MomentumUpdate,
  NodeId,
  ParameterUpdate,
  RmspropMomentumUpdate,
  RmspropUpdate,
  WeightDecay,
} from "./flat/index.js";
