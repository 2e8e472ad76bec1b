/** The names in a run directory: a contract, other programs read them. */

import { join } from "node:path";

export interface RunPaths {
  /** The run directory itself, as it was given. */
  readonly root: string;
  /** The config with every default filled in. */
  readonly config: string;
  /** The symbols of the data set, or the tokens of both its sides, by their ids; for data that have any. */
  readonly vocabulary: string;
  readonly ledger: string;
  readonly metrics: string;
  /** Folder: one log a process. */
  readonly logs: string;
  /** Folder: `step-00001234/` each, `latest.json`, `best.json`. */
  readonly checkpoints: string;
  /** There while a coordinator works in the directory, and after its crash. */
  readonly lock: string;
  /** Where that coordinator can be reached. */
  readonly endpoints: string;
  /** Outcome of a run that came to its end. */
  readonly end: string;
}

export function runPaths(root: string): RunPaths {
  return {
    root,
    config: join(root, "config.yaml"),
    vocabulary: join(root, "vocabulary.json"),
    ledger: join(root, "ledger.jsonl"),
    metrics: join(root, "metrics.jsonl"),
    logs: join(root, "logs"),
    checkpoints: join(root, "checkpoints"),
    lock: join(root, "coordinator.lock"),
    endpoints: join(root, "endpoints.json"),
    end: join(root, "end.json"),
  };
}
