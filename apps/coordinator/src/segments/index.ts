/** Parameters and gradients of workers on this machine, through shared memory. */
export { openSharedMemory, SharedMemory } from "./shared-memory.js";
export type { MemorySharer } from "./shared-memory.js";
