/** What must hold between keys, each of which is right on its own. */

import { brokenLanguageModelRule } from "@ostinato/lstm";

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
  if (optimizer.kind === "momentum" && optimizer.nesterov && optimizer.momentum === 0) {
    return { path: ["optimizer", "nesterov"], complaint: "needs an optimizer.momentum above 0" };
  }
  const { schedule } = optimizer;
  if (schedule.kind === "cosine" && schedule.warmupSteps >= schedule.totalSteps) {
    return {
      path: ["optimizer", "schedule", "warmupSteps"],
      complaint: `is not below optimizer.schedule.totalSteps (${schedule.totalSteps})`,
    };
  }
  return undefined;
}
