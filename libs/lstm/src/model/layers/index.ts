/** The layers of the models: each computes forward and hands back its way backward. */
export { attention, attentionMemory } from "./attention/index.js";
export type { AttentionMemory, AttentionRun, Queries } from "./attention/index.js";
export type { LayerState } from "./cells/index.js";
export { addTied, embedding } from "./embedding.js";
export type { Tokens } from "./embedding.js";
export type { Forwarded } from "./forwarded.js";
export { linear } from "./linear.js";
export { projectedInputs, recurrentStack, zeroStates } from "./recurrent/index.js";
export type { RecurrentStackRun } from "./recurrent/index.js";
export { addGradient, dropout, penaltyGradients } from "./regularization/index.js";
export { SoftmaxHead } from "./softmax-head.js";
export type { ClassTargets, LeafLoss } from "./softmax-head.js";
