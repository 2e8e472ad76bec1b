import { cast, oneHot, ones, tidy } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";

/** [N] ids → [N,numClasses] of 0 and 1, float32. */
export function oneHotRows(ids: Tensor1D, numClasses: number): Tensor2D {
  // tf.oneHot refuses a single class.
  if (numClasses === 1) return ones([ids.size, 1]);
  // The wasm backend's OneHot writes integers whatever dtype is asked for: hence the cast.
  return tidy(() => cast(oneHot(ids, numClasses), "float32") as Tensor2D);
}
