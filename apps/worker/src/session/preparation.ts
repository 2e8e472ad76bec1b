/** What a worker gets ready between its join and its stream; belongs to the run, not to an identity. */

import type { JoinReply } from "@ostinato/proto";
import { compileRunModelSpec } from "@ostinato/run";
import type { RunModelSpec } from "@ostinato/run";
import type { Clock, Logger } from "@ostinato/runtime";

import { messageOf, WorkerError } from "../errors/index.js";
import { loadDataset, readRunSettings } from "../shard/index.js";
import type { Compute, PreparedCompute } from "../training/index.js";
import type { CoordinatorLink } from "./coordinator-link.js";

export interface Preparation extends PreparedCompute {
  readonly spec: RunModelSpec;
}

export interface PreparationModules {
  readonly link: CoordinatorLink;
  readonly compute: Compute;
  readonly cacheDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Loads data and model. The data set is loaded only where the compute thread does not have it yet:
 * a reconnection costs neither a read nor a hash of it.
 *
 * @throws WorkerError `refused` for a model or config this worker cannot read, `dataCorrupt`,
 *   `compute`, `threadLost`; WireError when the data cannot be fetched
 */
export async function prepare(run: JoinReply, modules: PreparationModules): Promise<Preparation> {
  const { link, compute, cacheDirectory, clock, logger } = modules;
  const spec = readModelSpec(run.modelJson);
  const settings = readRunSettings(run.configJson);
  const prepared = await compute.prepare({
    backend: run.profile.backend,
    spec,
    settings,
    dataset: {
      digest: run.dataDigest,
      load: () =>
        loadDataset(run.dataDigest, {
          directory: cacheDirectory,
          fetch: (digest) => link.fetchData(digest),
          clock,
          logger,
        }),
    },
  });
  return { spec, ...prepared };
}

/** Whether what was prepared for one identity serves another. */
export function isSameRun(one: JoinReply, other: JoinReply): boolean {
  return (
    one.incarnation === other.incarnation &&
    one.profile.backend === other.profile.backend &&
    one.modelJson === other.modelJson &&
    one.configJson === other.configJson &&
    one.dataDigest === other.dataDigest
  );
}

function readModelSpec(modelJson: string): RunModelSpec {
  try {
    return compileRunModelSpec(JSON.parse(modelJson));
  } catch (error) {
    throw new WorkerError("refused", `the run's model is not known here: ${messageOf(error)}`);
  }
}
