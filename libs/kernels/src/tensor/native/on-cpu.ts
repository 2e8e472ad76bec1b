import { getKernel } from "@tensorflow/tfjs-core";
import type { NamedAttrMap, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs-core";

import type { Call } from "./kernel-call.js";

/** Runs the cpu backend's kernel, which reads and writes this backend's arrays alike. */
export function onCpu(
  { inputs, attrs, backend }: Call<object, object>,
  kernelName: string,
): TensorInfo {
  const kernel = getKernel(kernelName, "cpu");
  return kernel.kernelFunc({
    inputs: inputs as NamedTensorInfoMap,
    attrs: attrs as NamedAttrMap,
    backend,
  }) as TensorInfo;
}
