/**
 * The compiled kernels (native/), for both doors of the package. No TensorFlow.
 *
 * @example
 * const { treeAdd } = loadAddon() as FlatAddon; // throws where nothing was compiled
 */
export { loadAddon } from "./load-addon.js";
