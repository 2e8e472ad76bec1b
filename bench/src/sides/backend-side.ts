import { fileURLToPath } from "node:url";

import type { MeasuredCase } from "../cases/index.js";
import { ProcessSide } from "./process-side.js";

const PROGRAM = fileURLToPath(new URL("../measured/main.js", import.meta.url));

/** Ours, on one backend. */
export function backendSide(backend: string, numThreads: number): ProcessSide<MeasuredCase> {
  return new ProcessSide({
    name: backend,
    program: process.execPath,
    // With this process's flags, so that a profiler sees what is measured.
    arguments: [...process.execArgv, PROGRAM, backend, String(numThreads)],
  });
}
