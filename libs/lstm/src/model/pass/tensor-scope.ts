import { tidy } from "@tensorflow/tfjs-core";

/**
 * Like tf.tidy for a result without tensors (or with kept ones): frees every tensor made inside,
 * also when `compute` throws. tf.tidy itself would look for tensors in each element of the result's
 * arrays.
 */
export function inTensorScope<T>(compute: () => T): T {
  let result: T | undefined;
  tidy(() => {
    result = compute();
  });
  return result as T;
}
