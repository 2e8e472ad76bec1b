/**
 * Loops over flat float32 arrays whose every bit is defined.
 *
 * @example
 * treeAdd(left, right, left); // left += right
 */
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
  adamUpdate,
  momentumUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
  sgdUpdate,
} from "./updates.js";
export type {
  AdamUpdate,
  MomentumUpdate,
  ParameterUpdate,
  RmspropMomentumUpdate,
  RmspropUpdate,
} from "./updates.js";
