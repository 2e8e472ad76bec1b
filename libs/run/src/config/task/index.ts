/**
 * Task configs: a synthetic task in the place of a text, for `ostinato diagnose`.
 *
 * @example
 * const config = compileTaskConfig({ data: { kind: "addingProblem", length: 100 } }, () => "x.yaml");
 * const spec = taskModelSpec(config); // a sequence model of two values, one target
 */
export { compileTaskConfig } from "./compile-task-config.js";
export { ALL_DATA_KINDS, isTaskKind, listed, RUN_DATA_KINDS } from "./data-kinds.js";
export { taskModelSpec } from "./task-model.js";
export type { TaskConfig } from "./task-schema.js";
