/**
 * Local clusters, as `ostinato train` starts them.
 *
 * @example
 * const side = new ClusterSide({ name: "wasm ×2", backend: "wasm", numWorkers: 2, folder });
 * await side.prepare(step);
 * const { ms, details } = await side.measure(8);
 */
export { ClusterSide } from "./cluster-side.js";
export type { ClusterSideOptions } from "./cluster-side.js";
export { LocalRun } from "./local-run.js";
export type { LocalRunOptions, TakenStep } from "./local-run.js";
export { activeWorkers, readMetricsPage } from "./metrics-page.js";
export type { MetricsPage } from "./metrics-page.js";
export { RecoverySide } from "./recovery-side.js";
export { DEFAULT_EXAMPLE, LAUNCHER } from "./repository.js";
export { StartSide } from "./start-side.js";
export type { RunSideOptions } from "./run-side.js";
export { writeTrainingFiles } from "./training-files.js";
