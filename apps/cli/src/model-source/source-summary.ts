import type { Dataset } from "@ostinato/data";
import { createOptimizer, LstmError, modelSummary, parameterLayout } from "@ostinato/lstm";
import type { ModelSpec, ModelSummary, OptimizerSpec } from "@ostinato/lstm";
import { modelOfData, newestCheckpoint, readDataset, RunError, taskModelSpec } from "@ostinato/run";
import type { RunDirectory } from "@ostinato/run";

import type { ModelSource } from "./model-source.js";
import { runStepSize, taskStepSize } from "./step-size.js";
import type { StepSize } from "./step-size.js";

/**
 * What the model of a config or a run is made of, and the memory of its largest step if one worker computes all of it.
 * The model of a run is that of its newest checkpoint. Data are read where sizes follow from them.
 *
 * @param path named in messages
 * @throws RunError 'outOfRange' for what fits no model, and what reading throws; DataError; CliError
 */
export async function summaryOf(source: ModelSource, path: string): Promise<ModelSummary> {
  try {
    switch (source.kind) {
      case "task":
        return summarized(
          taskModelSpec(source.config),
          source.config.optimizer,
          taskStepSize(source.config),
        );
      case "run": {
        const { config } = source;
        const { dataset } = await readDataset(config);
        const size = await runStepSize(config, () => Promise.resolve(dataset));
        return summarized(modelOfData(config, dataset), config.optimizer, size);
      }
      case "runDirectory":
        return await summaryOfRun(source.run);
      default:
        return source satisfies never;
    }
  } catch (error) {
    if (!(error instanceof LstmError)) throw error;
    throw new RunError("outOfRange", `${path}: ${error.message}`, { cause: error });
  }
}

async function summaryOfRun(run: RunDirectory): Promise<ModelSummary> {
  const { config } = run;
  const { content } = await newestCheckpoint(run);
  let read: Promise<Dataset> | undefined;
  const dataset = (): Promise<Dataset> => (read ??= datasetOf(run, content?.data));
  const model = content?.model ?? modelOfData(config, await dataset());
  return summarized(model, config.optimizer, await runStepSize(config, dataset));
}

/** @param digest as the newest checkpoint names it; undefined before there is one */
async function datasetOf({ config }: RunDirectory, digest: string | undefined): Promise<Dataset> {
  if (digest === undefined) return (await readDataset(config)).dataset;
  // Loaded for this alone: the room loads TensorFlow.js.
  const { readRunDataset } = await import("../inference/index.js");
  return readRunDataset(config, digest);
}

function summarized(spec: ModelSpec, optimizer: OptimizerSpec, size: StepSize): ModelSummary {
  const { slots } = createOptimizer(optimizer, parameterLayout(spec));
  return modelSummary(spec, { ...size, optimizerSlots: slots.length });
}
