/**
 * The coordinator: owns the parameters of one run.
 *
 * @example
 * const exitCode = await runCoordinator({
 *   config, configFile: 'run.yaml', listen: '127.0.0.1:0', http: '127.0.0.1:0', runDirectory: undefined,
 *   resume: false, insecure: false, console: 'pretty',
 * });
 */
export type { CoordinatorOptions, CoordinatorReady } from "./coordinator-options.js";
export type { SecurityFiles } from "./security/index.js";
export type { Note } from "./setup/index.js";
export { runCoordinator } from "./main.js";
