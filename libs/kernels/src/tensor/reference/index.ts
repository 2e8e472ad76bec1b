/**
 * The kernels of any tfjs backend, and what a backend's own are tested against.
 *
 * @example
 * registerKernelTable("cpu", REFERENCE_KERNELS);
 */
export { REFERENCE_KERNELS } from "./reference-kernels.js";
export type { LayerNormGradientTensors, LayerNormTensors } from "./layer-norm.js";
export type {
  GruAttributes,
  GruBackwardTensors,
  GruForwardTensors,
  LstmVariantBackwardAttributes,
  LstmVariantBackwardTensors,
  LstmVariantForwardAttributes,
  LstmVariantForwardTensors,
  RnnAttributes,
  RnnBackwardTensors,
  RnnForwardTensors,
} from "./sequences/index.js";
