/**
 * Those that are compared, each in a process of its own.
 *
 * @example
 * const side = backendSide("wasm", 1);
 * await side.prepare(recurrentCases(true)[0].measured);
 * const { ms } = await side.measure(0.5);
 * await side.close();
 */
export { asStep } from "./as-step.js";
export { backendSide } from "./backend-side.js";
export { BenchError } from "./bench-error.js";
export type { BenchErrorCode } from "./bench-error.js";
export { findPyTorch, TORCH_VERSION } from "./pytorch.js";
export type { PyTorch } from "./pytorch.js";
export type { Sample, Side } from "./side.js";
