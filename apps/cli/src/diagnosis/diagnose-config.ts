import { selectBackend, selectFastestBackend } from "@ostinato/kernels/tensor";
import { LstmError } from "@ostinato/lstm";
import type { ModelSpec } from "@ostinato/lstm";
import {
  createEncoderDecoder,
  createLanguageModel,
  createSequenceModel,
} from "@ostinato/lstm/model";
import type { EncoderDecoder, LanguageModel, SequenceModel } from "@ostinato/lstm/model";
import { loadRunOrTaskConfig, modelOfData, readDataset, RunError } from "@ostinato/run";
import type { RunConfig, RunOrTaskConfig } from "@ostinato/run";

import { diagnoseOnData, diagnoseSubject, taskSubject } from "./subjects/index.js";
import type { SubjectDiagnosis } from "./subjects/index.js";

/** A config to diagnose, one of several that are compared. */
export interface Variant {
  readonly config: RunOrTaskConfig;
  /** What tells it from the others, such as `gru`; undefined where there is one alone. */
  readonly label: string | undefined;
}

export interface VariantDiagnosis extends SubjectDiagnosis {
  readonly label: string | undefined;
}

export interface VariantsRequest {
  readonly file: string;
  /** `key=value` each. */
  readonly overrides: readonly string[];
  /** A key and the values that it is to have, one after the other. */
  readonly compared: { readonly key: string; readonly values: readonly string[] } | undefined;
}

/**
 * Reads the config of each variant: all of them before any is diagnosed.
 *
 * @throws RunError as `loadRunOrTaskConfig`
 */
export async function readVariants(request: VariantsRequest): Promise<readonly Variant[]> {
  const { file, overrides, compared } = request;
  if (compared === undefined) {
    return [{ config: await loadRunOrTaskConfig({ file, overrides }), label: undefined }];
  }
  const { key, values } = compared;
  const read = async (value: string): Promise<Variant> => ({
    config: await loadRunOrTaskConfig({ file, overrides, compared: `${key}=${value}` }),
    label: value,
  });
  return Promise.all(values.map(read));
}

/** Updates between the two measurements. */
export function stepsOf({ config }: Variant, steps: number | undefined): number {
  return steps ?? (config.kind === "task" ? config.config.diagnose.steps : 0);
}

/**
 * @param file named in messages
 * @throws RunError 'outOfRange' for what fits no model; DataError for data that can't be used
 */
export async function diagnoseVariant(
  variant: Variant,
  file: string,
  steps: number,
): Promise<VariantDiagnosis> {
  const { config, label } = variant;
  const { backend } = config.config.numerics;
  await (backend === "auto" ? selectFastestBackend() : selectBackend(backend));
  try {
    const found =
      config.kind === "task"
        ? diagnoseSubject(taskSubject(config.config), { steps, from: undefined })
        : await diagnoseRunConfig(config.config, steps);
    return { label, ...found };
  } catch (error) {
    if (!(error instanceof LstmError)) throw error;
    // Such as a pattern of tensor names that fits none of this model.
    throw new RunError("outOfRange", `${file}: ${error.message}`, { cause: error });
  }
}

async function diagnoseRunConfig(config: RunConfig, steps: number): Promise<SubjectDiagnosis> {
  const { dataset } = await readDataset(config);
  const model = createModel(modelOfData(config, dataset));
  return diagnoseOnData(config, dataset, model, { steps, from: undefined });
}

function createModel(spec: ModelSpec): LanguageModel | SequenceModel | EncoderDecoder {
  switch (spec.kind) {
    case "languageModel":
      return createLanguageModel(spec);
    case "sequenceModel":
      return createSequenceModel(spec);
    case "encoderDecoder":
      return createEncoderDecoder(spec);
    default:
      return spec satisfies never;
  }
}
