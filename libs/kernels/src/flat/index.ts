/**
 * Loops over flat float32 arrays whose every bit is defined. Each is called compiled where the addon is
 * there, and runs in JavaScript elsewhere; both give the same bits. Arrays that a
 * call reads or writes place by place are the same values or apart: a RangeError where they overlap in part.
 *
 * @example
 * treeAdd(left, right, left); // left += right
 */
export { firstNotBfloat16, roundToBfloat16 } from "./bfloat16.js";
export { switchCompiledLoopsOff } from "./compiled-loops.js";
export { compiledCrc32 } from "./crc32.js";
export { firstNonFinite } from "./finite.js";
export {
  childrenOf,
  isNodeOf,
  nodeContains,
  nodesCovering,
  parentOf,
  siblingOf,
} from "./gradient-nodes.js";
export type { NodeId } from "./gradient-nodes.js";
export { integerPower } from "./integer-power.js";
export { columnSumsOfSquares, sumOfSquares } from "./norm.js";
export { addScaled, clampValues, scaleColumns, scaleValues } from "./scale.js";
export { sumLeavesInTreeOrder, treeAdd } from "./tree-sum.js";
export {
  adagradUpdate,
  adamUpdate,
  amsgradUpdate,
  averagedSgdUpdate,
  decayGradient,
  lambUpdate,
  momentumUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
  sgdUpdate,
} from "./updates/index.js";
export type {
  AdagradUpdate,
  AdamUpdate,
  AmsgradUpdate,
  AveragedSgdUpdate,
  LambUpdate,
  MomentumUpdate,
  ParameterUpdate,
  RmspropMomentumUpdate,
  RmspropUpdate,
  WeightDecay,
} from "./updates/index.js";
