import { tensor3d } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { HiddenPaths } from "../cells/index.js";

/**
 * The gradient with respect to each hidden state, through all later time steps: from the last step to the
 * first, ∂L/∂h_{t−1} = outside_{t−1} + products_t + direct_t ∘ ∂L/∂h_t. The way back needs it nowhere as a
 * whole; who looks on does.
 *
 * @param outside [T,B,R], what reaches each h_t from outside of the recurrence.
 * @returns [T,B,R]
 */
export function hiddenGradients(outside: Tensor3D, { products, direct }: HiddenPaths): Tensor3D {
  const [numSteps] = outside.shape;
  const size = outside.size / numSteps;
  const gradients = outside.dataSync<"float32">().slice();
  const ofProducts = products.dataSync<"float32">();
  const shares = direct?.dataSync<"float32">();
  for (let after = gradients.length - 1; after >= size; after--) {
    const passed = shares === undefined ? 0 : shares[after]! * gradients[after]!;
    gradients[after - size] = gradients[after - size]! + ofProducts[after]! + passed;
  }
  return tensor3d(gradients, outside.shape);
}
