/** The few keys of the run config that a worker computes by. */

import { roundedLeaves } from "@ostinato/run";
import type { LayoutSettings, RunConfig } from "@ostinato/run";

import { messageOf, WorkerError } from "../errors/index.js";

/** Plain numbers, so that they cross to the compute thread as they are. */
export interface RunSettings extends LayoutSettings {
  /** Leaves of each node whose gradient is rounded to bfloat16; undefined: none is. */
  readonly roundedLeaves: number | undefined;
}

/**
 * Picks the settings out of the config a coordinator sent as JSON.
 *
 * @throws WorkerError `refused` naming the key and what it should be
 */
export function readRunSettings(configJson: string): RunSettings {
  let parsed: unknown;
  try {
    parsed = JSON.parse(configJson);
  } catch (error) {
    throw new WorkerError("refused", `the run config is no JSON: ${messageOf(error)}`);
  }
  // What the coordinator validated; each value is checked again as it is read.
  const config = (parsed ?? {}) as PartialRunConfig;
  const sequenceLength = config.training?.sequenceLength;
  const settings: LayoutSettings = {
    seed: integer("seed", config.seed, 0),
    batchSize: integer("training.batchSize", config.training?.batchSize, 1),
    sequenceLength:
      sequenceLength === null ? null : integer("training.sequenceLength", sequenceLength, 1),
    microShards: integer("training.microShards", config.training?.microShards, 1),
    evaluationBatchSize: integer("evaluation.batchSize", config.evaluation?.batchSize, 1),
  };
  return { ...settings, roundedLeaves: readRoundedLeaves(config.numerics, settings) };
}

function readRoundedLeaves(
  numerics: Partial<RunConfig["numerics"]> | null | undefined,
  training: { readonly microShards: number },
): number | undefined {
  const { gradients, gradientLeaves = null } = numerics ?? {};
  if (gradients !== "float32" && gradients !== "bfloat16") {
    throw new WorkerError(
      "refused",
      `run config: numerics.gradients is ${JSON.stringify(gradients)}, not float32 or bfloat16`,
    );
  }
  if (gradientLeaves !== null) integer("numerics.gradientLeaves", gradientLeaves, 1);
  return roundedLeaves({ numerics: { gradients, gradientLeaves }, training });
}

interface PartialRunConfig {
  readonly seed?: RunConfig["seed"];
  readonly training?: Partial<RunConfig["training"]>;
  readonly evaluation?: Partial<RunConfig["evaluation"]>;
  readonly numerics?: Partial<RunConfig["numerics"]>;
}

function integer(key: string, value: number | undefined, least: number): number {
  if (!Number.isSafeInteger(value) || value === undefined || value < least) {
    throw new WorkerError(
      "refused",
      `run config: ${key} is ${JSON.stringify(value)}, not an integer of at least ${least}`,
    );
  }
  return value;
}
