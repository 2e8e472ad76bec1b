import { openModel, readRunDataset } from "../inference/index.js";
import type { OpenModel } from "../inference/index.js";
import type { VariantDiagnosis } from "./diagnose-config.js";
import { diagnoseOnData } from "./subjects/index.js";

export interface RunDiagnosis extends Pick<OpenModel, "skipped" | "step"> {
  readonly found: VariantDiagnosis;
}

/**
 * Measures the model of a run as it is in its best checkpoint, or the newest without one, on the first batch
 * of its training. With it are the optimizer's state and the schedule's place, so that the next update is the
 * one that the run would make from there. For an optimizer that keeps an average it is the parameters that
 * are measured, as training goes on from them, not from their average.
 *
 * @param path of the run directory
 * @throws as `openModel` and `readRunDataset`
 */
export async function diagnoseRun(path: string): Promise<RunDiagnosis> {
  const { model, checkpoint, config, skipped, step } = await openModel(path);
  try {
    const dataset = await readRunDataset(config, checkpoint.data);
    const { parameters, optimizer, statistics, progress: decisions } = checkpoint;
    const from = { step, parameters, optimizer, statistics, decisions };
    const found = diagnoseOnData(config, dataset, model, { steps: 0, from });
    return { skipped, step, found: { label: undefined, ...found } };
  } finally {
    model.dispose();
  }
}
