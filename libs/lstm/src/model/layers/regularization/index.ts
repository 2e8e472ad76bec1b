/**
 * What training adds so that nothing is learnt by heart: masks drawn for each row by itself, and
 * penalties of the activations.
 *
 * @example
 * const dropped = dropout(pass, inputs, { rate: 0.5, purpose: "dropout", layer: 0, isLocked: false });
 */
export { addGradient, penaltyGradients } from "./activation-penalty.js";
export type { PenaltyGradients, PenaltyOptions } from "./activation-penalty.js";
export { dropout } from "./dropout.js";
export type { DropoutOptions } from "./dropout.js";
export { weightMask, zoneoutMask } from "./random-masks.js";
