/**
 * How much memory the processes of a cluster need, and whether it grows.
 *
 * @example
 * for (const one of soakCases(false)) results.push(await soak(one, { backend: "native", folder }));
 * process.stdout.write(formatSoakTable(results));
 */
export { memoryBound } from "./memory-bound.js";
export type { MemoryBound } from "./memory-bound.js";
export type { MemorySample } from "./memory-watch.js";
export { soakCases } from "./soak-cases.js";
export type { SoakCase } from "./soak-cases.js";
export { formatSoakTable } from "./soak-table.js";
export { soak } from "./soak.js";
export type { Course, ProcessResult, SoakOptions, SoakResult } from "./soak.js";
