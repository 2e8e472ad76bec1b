/** The layers of the models: each computes forward and hands back its way backward. */
export { addGradient, penaltyGradients } from "./activation-penalty.js";
export type { LayerState } from "./cells/cell.js";
export { dropout } from "./dropout.js";
export { addTied, embedding, valuesOfLeaf } from "./embedding.js";
export type { Tokens } from "./embedding.js";
export type { Forwarded } from "./forwarded.js";
export { projectedInputs } from "./gate-inputs.js";
export { linear } from "./linear.js";
export { recurrentStack, zeroStates } from "./recurrent-stack.js";
export type { RecurrentStackRun } from "./recurrent-stack.js";
export { SoftmaxHead } from "./softmax-head.js";
export type { ClassTargets, LeafLoss } from "./softmax-head.js";
