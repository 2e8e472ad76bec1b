/**
 * The kernels of the wasm backend.
 *
 * @example
 * registerKernelTable("wasm", WASM_KERNELS);
 */
export { WASM_KERNELS } from "./wasm-kernels.js";
