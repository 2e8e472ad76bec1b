/**
 * Recurrent layers, by themselves and on top of each other.
 *
 * @example
 * const run = recurrentStack({ pass, spec, bidirectional: false, prefix: "", firstMaskLayer: 0, … });
 * const { inputs } = run.backward(gradient); // [T,B,I], of run.outputs [T,B,C]
 */
export { projectedInputs } from "./gate-inputs.js";
export type { GateInputs } from "./gate-inputs.js";
export { recurrentStack, zeroStates } from "./recurrent-stack.js";
export type { RecurrentStackCall, RecurrentStackRun } from "./recurrent-stack.js";
