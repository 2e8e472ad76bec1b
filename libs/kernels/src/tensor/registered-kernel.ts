import { registerKernel } from "@tensorflow/tfjs-core";
import type { KernelFunc, Tensor, TensorInfo } from "@tensorflow/tfjs-core";

import { TIME_STEPS_PER_REPORT } from "./contract/index.js";
import type { KernelName, OnTimeSteps } from "./contract/index.js";

/** What a kernel function is given: tensors by name, attributes by name, the tfjs backend. */
export interface KernelCall<Inputs, Attributes = unknown, Backend = unknown> {
  readonly inputs: Inputs;
  readonly attrs: Attributes;
  readonly backend: Backend;
}

/** One kernel implementation; its results are tracked by the scope in which it is called. */
export type KernelFunction = (call: never) => Tensor[];

/** A kernel of tfjs itself, which gives one tensor. */
export type TfjsKernelFunction = (call: never) => TensorInfo;

/** A backend's implementation of every kernel of the contract. */
export type KernelTable = Readonly<Record<KernelName, KernelFunction>>;

export interface TimeStepAttributes {
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/** Registers a backend's kernels with the tfjs engine. */
export function registerKernelTable(
  backendName: string,
  table: Readonly<Record<string, KernelFunction | TfjsKernelFunction>>,
): void {
  for (const [kernelName, kernelFunction] of Object.entries(table)) {
    // The engine passes exactly the inputs and attributes that the contract gives it.
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: kernelFunction as unknown as KernelFunc,
    });
  }
}

/** Tells the caller every {@link TIME_STEPS_PER_REPORT} steps and at the end. */
export function reportTimeSteps(
  { onTimeSteps }: TimeStepAttributes,
  done: number,
  total: number,
): void {
  if (done % TIME_STEPS_PER_REPORT === 0 || done === total) onTimeSteps?.(done);
}
