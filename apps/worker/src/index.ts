/**
 * A worker: computes gradients on the micro-shards it leases, and knows nothing but its lease.
 *
 * @example
 * process.exitCode = await runWorker({
 *   coordinator: '127.0.0.1:7070',
 *   backend: undefined,
 *   http: '127.0.0.1:0',
 *   deadlineSeconds: 30,
 *   cacheDirectory: undefined,
 *   logFile: undefined,
 *   name: undefined,
 *   console: 'pretty',
 * });
 */
export { runWorker } from "./main.js";
export { prepareWorker } from "./prepared-worker.js";
export type { PreparedWorker } from "./prepared-worker.js";
export type { WorkerOptions } from "./worker-options.js";
