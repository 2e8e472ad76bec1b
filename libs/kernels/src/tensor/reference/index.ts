/**
 * The kernels of any tfjs backend, and what a backend's own are tested against.
 *
 * @example
 * registerKernelTable("cpu", REFERENCE_KERNELS);
 */
export { REFERENCE_KERNELS } from "./reference-kernels.js";
