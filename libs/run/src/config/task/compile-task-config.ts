/** Raw values → task config: checked, every default filled in, frozen. */

import {
  brokenOptimizerRule,
  brokenSequenceModelRule,
  createLoss,
  LstmError,
  scheduleProblem,
} from "@ostinato/lstm";

import { checkedConfig } from "../config-issues.js";
import type { Path } from "../config-issues.js";
import type { BrokenRule } from "../rules.js";
import { taskModelSpec } from "./task-model.js";
import { taskConfigSchema } from "./task-schema.js";
import type { TaskConfig } from "./task-schema.js";

/**
 * Checks a raw task config and fills in the defaults.
 *
 * @param place names the place of a key, such as `adding.yaml:12`
 * @throws RunError as `compileConfig`
 */
export function compileTaskConfig(raw: unknown, place: (path: Path) => string): TaskConfig {
  return checkedConfig({ schema: taskConfigSchema, brokenRule }, raw, place);
}

function brokenRule(config: TaskConfig): BrokenRule | undefined {
  const { optimizer, training } = config;
  if (training.microShards > training.batchSize) {
    return {
      path: ["training", "microShards"],
      complaint: `is above training.batchSize (${training.batchSize}); every micro-shard needs a row`,
    };
  }
  const ofModel = brokenSequenceModelRule(taskModelSpec(config));
  if (ofModel !== undefined) {
    return { path: ["model", ...ofModel.path], complaint: `is not possible: ${ofModel.message}` };
  }
  const ofLoss = brokenLoss(config);
  if (ofLoss !== undefined) return ofLoss;
  const ofOptimizer = brokenOptimizerRule(optimizer);
  if (ofOptimizer !== undefined) {
    return {
      path: ["optimizer", ...ofOptimizer.path],
      complaint: `is not possible: ${ofOptimizer.message}`,
    };
  }
  const problem = scheduleProblem(optimizer.schedule, "optimizer.schedule.");
  if (problem === undefined) return undefined;
  const { key, complaint } = problem;
  return { path: ["optimizer", "schedule", key], complaint };
}

/** A task's targets are values or classes, which the loss has to take. */
function brokenLoss(config: TaskConfig): BrokenRule | undefined {
  const path = ["model", "loss", "kind"];
  const expected = config.data.kind === "copyTask" ? "classes" : "values";
  try {
    const { loss, numTargets } = taskModelSpec(config);
    const { targetKind } = createLoss(loss, { numTargets });
    if (targetKind === expected) return undefined;
    return { path, complaint: `is no loss of ${expected}, which ${config.data.kind} has` };
  } catch (error) {
    if (!(error instanceof LstmError)) throw error;
    return { path: path.slice(0, -1), complaint: `is not possible: ${error.message}` };
  }
}
