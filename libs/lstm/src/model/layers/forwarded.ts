import type { Tensor3D } from "@tensorflow/tfjs-core";

/** What a layer put out, and the way back through it. */
export interface Forwarded {
  /** [T,B,C] */
  readonly outputs: Tensor3D;
  /**
   * Hands the gradients of the layer's parameters to the pass.
   *
   * @param gradient [T,B,C], with respect to the outputs.
   * @returns [T,B,I], with respect to the inputs.
   */
  readonly backward: (gradient: Tensor3D) => Tensor3D;
}
