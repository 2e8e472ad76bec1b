import { readFileSync } from "node:fs";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";

import type { MachineSource } from "./machine.js";

/** The machine that this process runs on. */
export function thisMachine(): MachineSource {
  return {
    processor: cpus()[0]?.model ?? process.arch,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    constrainedMemoryBytes: process.constrainedMemory(),
    readText(path) {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return undefined; // not Linux, or no such control group
      }
    },
  };
}
