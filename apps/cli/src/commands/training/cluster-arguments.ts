/** The command lines of a local cluster's processes. */

import { join } from "node:path";

import { standbyArguments } from "../../standby/index.js";
import { CliError } from "../../errors/index.js";
import type { ClusterOptions } from "../../cluster/index.js";
import type { TrainOptions } from "../../command-line/index.js";

/** Any free port of this machine, for this machine alone. */
const LOOPBACK = "127.0.0.1:0";

export interface ClusterArguments {
  readonly options: Pick<TrainOptions, "config" | "runDir" | "resume">;
  /** As `--set` takes them, paths resolved. */
  readonly overrides: readonly string[];
  readonly numWorkers: number;
  readonly minWorkers: number;
  readonly deadlineSeconds: number;
  /** Path of the socket between coordinator and workers; undefined: they use loopback. */
  readonly localSocket: string | undefined;
}

export function clusterOptions({
  options: { config, runDir, resume },
  overrides,
  numWorkers,
  minWorkers,
  deadlineSeconds,
  localSocket,
}: ClusterArguments): ClusterOptions {
  // Several share the processors; one alone may have them all.
  const threads = numWorkers === 1 ? undefined : 1;
  return {
    numWorkers,
    minWorkers,
    deadlineMs: Math.round(1000 * deadlineSeconds),
    coordinatorArguments: [
      "coordinator",
      ...["--listen", LOOPBACK, "--http", LOOPBACK],
      ...(localSocket === undefined ? [] : ["--local-socket", localSocket]),
      ...(runDir === undefined ? [] : ["--run-dir", runDir]),
      ...(resume ? ["--resume"] : []),
      ...overrides.flatMap((override) => ["--set", override]),
      ...(config === undefined ? [] : ["--", config]),
    ],
    standbyArguments: standbyArguments(threads),
    workerArguments: ({ localAddress, runDirectory }, name) => [
      "worker",
      ...["--coordinator", localAddress, "--http", LOOPBACK, "--name", name],
      ...["--deadline", String(deadlineSeconds)],
      ...(threads === undefined ? [] : ["--threads", String(threads)]),
      ...["--log-file", join(runDirectory, "logs", `${name}.log`)],
    ],
  };
}

/** @throws {CliError} `usage` where no step would ever begin */
export function requireEnoughWorkers(numWorkers: number, minWorkers: number): void {
  if (numWorkers >= minWorkers) return;
  throw new CliError(
    "usage",
    `cluster.minWorkers is ${minWorkers}, more than the workers that are started, ${numWorkers}: no ` +
      "step would begin; start more with --workers or cluster.workers",
  );
}
