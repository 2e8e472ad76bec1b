/** The directory of a run that has begun, as a coordinator would have left it. */

import type { Dataset } from "@ostinato/data";
import { createDecisions, initialParameters, parameterLayout } from "@ostinato/lstm";
import {
  createRunDirectory,
  LedgerWriter,
  loadConfig,
  modelOfData,
  readDataset,
  writeCheckpoint,
  procProcesses,
} from "@ostinato/run";
import type { CheckpointContent, CreateRunDirectoryOptions } from "@ostinato/run";
import { ManualClock } from "@ostinato/runtime";

export interface SmallRun {
  readonly config: string;
  readonly path: string;
  /** Of its checkpoints, the lowest of which is the best one. */
  readonly steps: readonly number[];
  /** What the checkpoints hold besides. */
  readonly changes?: Partial<CheckpointContent>;
}

/** Parameters of a checkpoint: initial ones of a seed that is the step. */
export async function writeSmallRun(request: SmallRun): Promise<void> {
  const { path, steps, changes } = request;
  const config = await loadConfig({ file: request.config });
  const { dataset } = await readDataset(config);
  const model = modelOfData(config, dataset);
  const run = await createRunDirectory({
    ...{ path, config, symbols: symbolsOf(dataset) },
    startedAt: new Date(0),
    claimant: {
      processes: procProcesses({ process, host: "here" }),
      clock: new ManualClock(),
      deadlineMs: 1000,
    },
  });
  const profile = { backend: "wasm", version: "1", digest: "d" };
  const ledger = LedgerWriter.create(run.paths.ledger);
  const { head, offset } = ledger.append({ type: "profile", ...profile });
  await ledger.close();
  const decisions = createDecisions({ plateau: null, earlyStopping: null, averaging: null });
  for (const step of steps) {
    const best = { step: Math.min(...steps), loss: 1 };
    await writeCheckpoint(run, {
      ...{ job: "job-1", step, trajectory: "a".repeat(64), data: dataset.digest, model, profile },
      ledger: { head, offset },
      parameters: initialParameters(model, step),
      layout: parameterLayout(model),
      optimizer: { stepCount: step, slots: {} },
      statistics: new Float64Array(0),
      states: new Map(),
      progress: { ...decisions.initialState(), best },
      ...changes,
    });
  }
  run.claim.release();
}

function symbolsOf(dataset: Dataset): CreateRunDirectoryOptions["symbols"] {
  if (dataset.kind === "pairs") return dataset.vocabularies;
  return dataset.kind === "text" ? dataset.vocabulary.symbols : null;
}
