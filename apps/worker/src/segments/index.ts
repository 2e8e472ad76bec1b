/** Parameters and gradients through shared memory, with a coordinator on this machine. */
export { joinSharedMemory } from "./shared-memory.js";
export type { SharedMemory } from "./shared-memory.js";
