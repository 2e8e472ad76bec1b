/**
 * A local cluster: a coordinator and workers as child processes of this program.
 *
 * @example
 * ```ts
 * const cluster = new LocalCluster(options, { startChild: createStartChild(mainFile), clock, onNotice });
 * const ready = await cluster.ready();
 * if (ready !== undefined) cluster.startWorkers(ready);
 * process.once("SIGTERM", () => cluster.interrupt("SIGTERM"));
 * const { exitCode, reason } = await cluster.ended;
 * ```
 *
 * @module
 */
export { createStartChild } from "./child.js";
export type { Child, ChildExit, StartChild } from "./child.js";
export { LocalCluster } from "./local-cluster.js";
export type {
  ClusterEnd,
  ClusterModules,
  ClusterOptions,
  ClusterState,
  StopSignal,
} from "./local-cluster.js";
export type { ReadyMessage, WaitingMessage } from "./ready-message.js";
export { createSocketDirectory } from "./socket-directory.js";
export type { SocketDirectory } from "./socket-directory.js";
