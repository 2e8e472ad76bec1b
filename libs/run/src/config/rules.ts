/** What must hold between keys, each of which is right on its own. */

import {
  averagingTriggerOf,
  brokenLanguageModelRule,
  brokenOptimizerRule,
  scheduleProblem,
} from "@ostinato/lstm";

import type { RunConfig } from "./schema.js";

export interface BrokenRule {
  readonly path: readonly string[];
  /** What follows the value in the message. */
  readonly complaint: string;
}

/** The first rule that a config breaks. */
export function brokenRule(config: RunConfig): BrokenRule | undefined {
  const { data, evaluation, model, optimizer, training } = config;
  if (data.validationFraction + data.testFraction >= 1) {
    return {
      path: ["data", "testFraction"],
      complaint: `and data.validationFraction ${data.validationFraction} do not add up to less than 1`,
    };
  }
  for (const [group, { batchSize }] of Object.entries({ training, evaluation })) {
    // docs/decisions/0006: a leaf without a row would be a slice of nothing.
    if (training.microShards > batchSize) {
      return {
        path: ["training", "microShards"],
        complaint: `is above ${group}.batchSize (${batchSize}); every micro-shard needs a row`,
      };
    }
  }
  const ofModel = brokenLanguageModelRule(model);
  if (ofModel !== undefined) {
    return {
      path: ["model", ...ofModel.path],
      complaint: `is not possible: ${ofModel.message}`,
    };
  }
  const ofOptimizer = brokenOptimizerRule(optimizer);
  if (ofOptimizer !== undefined) {
    return {
      path: ["optimizer", ...ofOptimizer.path],
      complaint: `is not possible: ${ofOptimizer.message}`,
    };
  }
  const { schedule } = optimizer;
  const problem = scheduleProblem(schedule, "optimizer.schedule.");
  if (problem !== undefined) {
    const { key, complaint } = problem;
    return { path: ["optimizer", "schedule", key], complaint };
  }
  const deciders = [
    ...(schedule.kind === "plateau" ? ["optimizer.schedule.kind: plateau"] : []),
    ...(averagingTriggerOf(optimizer) === null ? [] : ["optimizer.nonmonotonicInterval"]),
    ...(training.earlyStopping === null ? [] : ["training.earlyStopping"]),
  ];
  const [decider] = deciders;
  if (decider !== undefined && evaluation.everySteps === null) {
    return {
      path: ["evaluation", "everySteps"],
      complaint: `leaves ${decider} nothing to decide by; give the steps between two evaluations`,
    };
  }
  return undefined;
}
