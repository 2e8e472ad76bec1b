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
  /** Folder: `000001.json` each, one a coordinator that has worked in the directory. */
  readonly incarnations: string;
  /** Where the newest of them can be reached, while it works. */
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
    incarnations: join(root, "incarnations"),
    endpoints: join(root, "endpoints.json"),
    end: join(root, "end.json"),
  };
}
