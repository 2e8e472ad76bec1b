/**
 * Run configs: raw values → checked → frozen, with the role of every key in a resume.
 *
 * @example
 * ```ts
 * const config = await loadConfig({ file: "lstm.yaml", overrides: ["training.epochs=2"] });
 * trajectoryDigest(config); // what a checkpoint of this run is bound to
 * ```
 *
 * @module
 */
export { compileConfig } from "./compile-config.js";
export type { CompileOptions } from "./compile-config.js";
export type { KeyRole } from "./keys.js";
export { loadConfig, loadRunOrTaskConfig } from "./load-config.js";
export type { RunOrTaskConfig } from "./load-config.js";
export { parseOverride } from "./source/index.js";
export type { LoadConfigOptions, Override } from "./source/index.js";
export { taskModelSpec } from "./task/index.js";
export type { TaskConfig } from "./task/index.js";
export {
  changedTrajectoryKeys,
  keyRole,
  keyRoles,
  requireSameTrajectory,
  trajectoryDigest,
} from "./roles.js";
export { roundedLeaves } from "./rounded-leaves.js";
export type { GradientSettings } from "./rounded-leaves.js";
export type { RunConfig } from "./schema.js";
