/**
 * Where each tensor lies in the flat buffers of parameters, gradients and carried states.
 *
 * @example
 * const layout = parameterLayout(spec);
 * const head = tensorView(parameters, layout, 'head.kernel'); // [H·V], row-major, no copy
 */
export { matchingTensors, requireMatchingTensors } from "./tensor-pattern.js";
export { parameterLayout, tensorView } from "./parameter-layout.js";
export type { ParameterLayout, TensorLayout } from "./parameter-layout.js";
export { decoderStack, encoderStack } from "./encoder-decoder-layout.js";
export type { SideStack } from "./encoder-decoder-layout.js";
export { cellSizes, layerInputSizes, stackOutputSize, stackTensors } from "./recurrent-layout.js";
export type { CellSizes, NamedShape, StackShape } from "./recurrent-layout.js";
export { stateShape } from "./state-shape.js";
export type { StateShape } from "./state-shape.js";
