/** The run directory of a new run or of one that goes on, and everything that starts from it. */

import { randomUUID } from "node:crypto";
import type { Dataset } from "@ostinato/data";
import type { DecisionState, OptimizerState } from "@ostinato/lstm";
import { initialParameters, initialStatistics } from "@ostinato/lstm";
import { digestOfVersion } from "@ostinato/proto";
import type { NumericsProfile } from "@ostinato/proto";
import {
  claimRun,
  createRunDirectory,
  FileStorage,
  guardStorage,
  LedgerWriter,
  openRunDirectory,
  RunError,
  requireSameTrajectory,
  runPaths,
  trajectoryDigest,
} from "@ostinato/run";
import type {
  Claimant,
  CreateRunDirectoryOptions,
  RunClaim,
  RunConfig,
  RunDirectory,
} from "@ostinato/run";
import { findResumePoint } from "../checkpoints/index.js";
import type { ResumePoint } from "../checkpoints/index.js";
import type { LedgerPosition } from "../ledger/index.js";
import { RunLedger } from "../ledger/index.js";
import type { RunData } from "./run-data.js";

export interface OpenRun {
  readonly directory: RunDirectory;
  /** Held until the caller releases it: last of all, after the ledger is closed. */
  readonly claim: RunClaim;
  readonly job: string;
  readonly incarnation: number;
  readonly ledger: RunLedger;
  /** The profile so far; undefined until the first worker joins. */
  readonly profile: NumericsProfile | undefined;
  readonly start: {
    readonly step: number;
    readonly parameters: Float32Array;
    readonly statistics: Float64Array;
    readonly optimizer: OptimizerState | undefined;
    readonly states: ReadonlyMap<number, Float32Array>;
    /** What was decided up to there; undefined for a run that begins. */
    readonly decided: DecisionState | undefined;
    readonly position: LedgerPosition;
  };
  /** What a resume found; undefined for a new run. */
  readonly resumed: ResumePoint | undefined;
}

/** @throws {RunError} `runDirectoryInUse`, `storageFailed`; then nothing is left of the run */
export async function createRun(options: {
  readonly config: RunConfig;
  readonly data: RunData;
  readonly path: string | undefined;
  readonly startedAt: Date;
  readonly claimant: Claimant;
}): Promise<OpenRun> {
  const { config, data, path, startedAt, claimant } = options;
  const parameters = initialParameters(data.model, config.seed);
  const statistics = initialStatistics(data.statistics);
  const directory = await createRunDirectory({
    path,
    config,
    symbols: symbolsOf(data.dataset),
    startedAt,
    claimant,
  });
  const { claim } = directory;
  try {
    const job = `${config.name}-${randomUUID().slice(0, 8)}`;
    const writer = LedgerWriter.create(directory.paths.ledger, {
      guard: () => claim.requireHeld(),
      incarnation: claim.incarnation,
    });
    const ledger = new RunLedger(writer);
    const position = ledger.append({
      type: "run",
      format: 1,
      job,
      trajectory: trajectoryDigest(config),
      data: data.dataset.digest,
      model: data.model,
      parameters: digestOfVersion({ parameters, statistics }),
      determinism: config.numerics.determinism,
    });
    return {
      directory,
      claim,
      job,
      incarnation: writer.incarnation,
      ledger,
      profile: undefined,
      start: {
        step: 0,
        parameters,
        statistics,
        optimizer: undefined,
        states: new Map(),
        decided: undefined,
        position,
      },
      resumed: undefined,
    };
  } catch (error) {
    await directory.discard();
    throw error;
  }
}

interface ResumeOptions {
  readonly config: RunConfig;
  readonly data: RunData;
  readonly path: string;
}

/**
 * @throws {RunError} `notARun`, `runDirectoryInUse`, `trajectoryChanged` (naming key and values),
 *   `dataChanged`, `checkpointMismatch`, `newerFormat`, `ledgerCorrupt`, `storageFailed`
 */
export async function resumeRun({
  config,
  data,
  path,
  claimant,
}: Omit<ResumeOptions, "path"> & {
  readonly path: string | undefined;
  readonly claimant: Claimant;
}): Promise<OpenRun> {
  if (path === undefined) {
    throw new RunError("notARun", "--resume needs --run-dir, the run directory to go on in");
  }
  // Before the claim, which is a file: a folder that holds no run, or not this one, gets none.
  requireSameTrajectory((await openRunDirectory(path)).config, config);
  const claim = await claimRun(runPaths(path).incarnations, claimant);
  try {
    return await resumeClaimed({ config, data, path }, claim);
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function resumeClaimed(
  { config, data, path }: ResumeOptions,
  claim: RunClaim,
): Promise<OpenRun> {
  const guard = (): void => claim.requireHeld();
  const storage = guardStorage(new FileStorage(), guard);
  const directory = await openRunDirectory(path, storage);
  // A crash between two renames leaves a checkpoint under another name alone; and what an older incarnation
  // has not finished, be it asleep in the middle, must not come to light any more.
  for (const folder of [directory.paths.root, directory.paths.checkpoints]) {
    await storage.sweep(folder);
  }
  const point = await findResumePoint(directory, {
    trajectory: trajectoryDigest(config),
    data: data.dataset.digest,
    model: data.model,
  });
  requireBackend(config, point.profile);
  await directory.writeConfig(config);
  const { incarnation } = claim;
  const writer = await LedgerWriter.resume(directory.paths.ledger, point.ledger, {
    guard,
    incarnation,
  });
  const ledger = new RunLedger(writer, point.replay);
  const { checkpoint } = point;
  ledger.append({
    type: "resume",
    checkpointStep: checkpoint?.step ?? 0,
    ledgerStep: point.ledgerStep,
    tornBytes: point.ledger.tornTail?.bytes ?? 0,
    determinism: config.numerics.determinism,
    skipped: point.skipped.map(({ name, reason }) => ({ checkpoint: name, reason })),
  });
  return {
    directory,
    claim,
    job: point.job,
    incarnation: writer.incarnation,
    ledger,
    profile: point.profile,
    start: {
      step: checkpoint?.step ?? 0,
      parameters: checkpoint?.parameters ?? initialParameters(data.model, config.seed),
      statistics: checkpoint?.statistics ?? initialStatistics(data.statistics),
      optimizer: checkpoint?.optimizer,
      states: checkpoint?.states ?? new Map(),
      decided: checkpoint?.progress,
      position: point.position,
    },
    resumed: point,
  };
}

/** What the run directory's vocabulary is of. */
function symbolsOf(dataset: Dataset): CreateRunDirectoryOptions["symbols"] {
  switch (dataset.kind) {
    case "text":
      return dataset.vocabulary.symbols;
    case "pairs":
      return dataset.vocabularies;
    case "sequences":
      return null;
    default:
      return dataset satisfies never;
  }
}

/** A run stays on the backend that it began with, whatever the config says now. */
function requireBackend({ numerics }: RunConfig, profile: NumericsProfile | undefined): void {
  if (profile === undefined || ["auto", profile.backend].includes(numerics.backend)) return;
  throw new RunError(
    "trajectoryChanged",
    `numerics.backend is ${numerics.backend}, but the run computes with ${profile.backend}: a ` +
      `resume cannot change it; give ${profile.backend} or auto`,
  );
}
