/**
 * The run's course: which step is next, who computes what of it, and what follows a commit.
 *
 * @example
 * const trainer = new Trainer({ config, plan, describeSamples }, modules, start);
 * const { outcome, parametersSha256 } = await trainer.run(shutdown.signal);
 */
export { CarriedStates } from "./carried-states.js";
export type { Round } from "./current-round.js";
export { Dispatcher } from "./dispatcher.js";
export type { DispatcherModules, DispatcherOptions } from "./dispatcher.js";
export { EvaluationRound } from "./evaluation-round.js";
export { EventHub } from "./event-hub.js";
export { TrainingPlan } from "./plan.js";
export type { PlannedStep, PlanOptions } from "./plan.js";
export { Trainer } from "./trainer.js";
export { TrainRound } from "./train-round.js";
export type {
  TrainerModules,
  TrainerOptions,
  TrainerStart,
  TrainerState,
  TrainingResult,
} from "./trainer.js";
