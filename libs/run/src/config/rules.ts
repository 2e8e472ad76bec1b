/** What must hold between keys, each of which is right on its own. */

import {
  averagingTriggerOf,
  brokenEncoderDecoderRule,
  brokenLanguageModelRule,
  brokenOptimizerRule,
  brokenSequenceModelRule,
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
  const ofGradients = brokenGradientRule(config);
  if (ofGradients !== undefined) return ofGradients;
  const ofData = brokenDataRule(config);
  if (ofData !== undefined) return ofData;
  const ofModel = brokenModelRule(model);
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

function brokenGradientRule({ numerics, training }: RunConfig): BrokenRule | undefined {
  const { gradients, gradientLeaves } = numerics;
  if (gradientLeaves === null) return undefined;
  const path = ["numerics", "gradientLeaves"];
  if (gradients === "float32") {
    return { path, complaint: "needs numerics.gradients: bfloat16; float32 is not rounded" };
  }
  const { microShards } = training;
  return gradientLeaves > microShards
    ? { path, complaint: `is above training.microShards (${microShards})` }
    : undefined;
}

function brokenModelRule(model: RunConfig["model"]): ReturnType<typeof brokenLanguageModelRule> {
  switch (model.kind) {
    case "languageModel":
      return brokenLanguageModelRule(model);
    case "sequenceModel":
      return brokenSequenceModelRule(model);
    case "encoderDecoder":
      return brokenEncoderDecoderRule(model);
    default:
      return model satisfies never;
  }
}

const MODEL_KINDS = {
  text: "languageModel",
  sequences: "sequenceModel",
  pairs: "encoderDecoder",
} as const;

/** What the kind of the data asks of the other groups. */
function brokenDataRule({ data, model, training }: RunConfig): BrokenRule | undefined {
  const needed = MODEL_KINDS[data.kind];
  if (model.kind !== needed) {
    return {
      path: ["model", "kind"],
      complaint: `does not fit data.kind: ${data.kind}, which needs model.kind: ${needed}`,
    };
  }
  const isOfClasses =
    model.kind === "sequenceModel" && ["crossEntropy", "ctc"].includes(model.loss.kind);
  if (data.kind === "sequences" && data.numClasses !== null && !isOfClasses) {
    return {
      path: ["data", "numClasses"],
      complaint: "needs model.loss.kind: crossEntropy or ctc, whose targets are classes",
    };
  }
  const { sequenceLength } = training;
  const isText = data.kind === "text";
  if ((sequenceLength === null) !== isText) return undefined;
  const needs = isText ? "needs a whole number" : "has sequences that stay whole; leave it out";
  return {
    path: ["training", "sequenceLength"],
    complaint: `does not fit data.kind: ${data.kind}, which ${needs}`,
  };
}
