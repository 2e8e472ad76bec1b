/**
 * What is diagnosed: a model with what it is trained on and what it is measured by.
 *
 * @example
 * ```ts
 * const found = diagnoseSubject(taskSubject(config), { steps: 100, from: undefined });
 * found.end?.layers; // after 100 steps
 * ```
 */
export { diagnoseOnData } from "./data-subject.js";
export { diagnoseSubject } from "./subject.js";
export type { DiagnosedSteps, DiagnosedTraining, SubjectDiagnosis } from "./subject.js";
export { taskSubject } from "./task-subject.js";
