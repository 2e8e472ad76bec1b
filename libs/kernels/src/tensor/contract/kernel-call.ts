import { engine, tidy } from "@tensorflow/tfjs-core";
import type { NamedAttrMap, NamedTensorMap, Tensor } from "@tensorflow/tfjs-core";

import { KernelError } from "../kernel-error.js";
import type { KernelName } from "./kernel-names.js";

/** Runs a kernel of the selected backend; frees whatever it made if it throws. */
export function runKernel(
  name: KernelName,
  inputs: NamedTensorMap,
  attributes: object = {},
): Tensor[] {
  return tidy(() => {
    // Attributes reach the kernel as they are; tfjs types them as JSON values for saved graphs only.
    const outputs: Tensor | Tensor[] = engine().runKernel(name, inputs, attributes as NamedAttrMap);
    return Array.isArray(outputs) ? outputs : [outputs];
  });
}

/**
 * For the tensor whose sizes the others are held against.
 *
 * @throws KernelError `invalidShape`
 */
export function expectRank(
  kernelName: KernelName,
  name: string,
  tensor: Tensor,
  rank: number,
): void {
  if (tensor.shape.length === rank) return;
  throw new KernelError(
    "invalidShape",
    `${kernelName}: ${name} has shape [${tensor.shape.join(", ")}], expected ${rank} dimensions`,
  );
}

/** @throws KernelError `invalidShape` */
export function expectShape(
  kernelName: KernelName,
  name: string,
  tensor: Tensor,
  expected: readonly number[],
): void {
  if (tensor.shape.length === expected.length && expected.every((n, i) => n === tensor.shape[i])) {
    return;
  }
  throw new KernelError(
    "invalidShape",
    `${kernelName}: ${name} has shape [${tensor.shape.join(", ")}], expected [${expected.join(", ")}]`,
  );
}

/** The tensors that are there: a kernel is not given the names of the others. */
export function presentTensors(
  tensors: Readonly<Record<string, Tensor | undefined>>,
): NamedTensorMap {
  return Object.fromEntries(
    Object.entries(tensors).filter((entry): entry is [string, Tensor] => entry[1] !== undefined),
  );
}
