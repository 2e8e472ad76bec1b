/** Files → checkpoint, every byte checked; the newest that can be used. */

import { isDeepStrictEqual } from "node:util";

import { parameterLayout, statisticsLayout } from "@ostinato/lstm";
import type { ParameterLayout, StatisticsLayout } from "@ostinato/lstm";

import { compileRunModelSpec } from "../data/index.js";
import type { RunModelSpec } from "../data/index.js";
import type { RunDirectory } from "../directory/index.js";
import { RunError } from "../errors/index.js";
import { positionProblem } from "../ledger/index.js";
import type { LedgerContents } from "../ledger/index.js";
import { damaged, isDamage, readFileOf, readManifest } from "./check-files.js";
import { decodeTensors, TENSOR_FILES } from "./content.js";
import type { CheckpointContent, TensorFile } from "./content.js";
import { decodeManifest, MANIFEST_FILE } from "./manifest.js";
import type { Manifest } from "./manifest.js";
import { checkpointName, checkpointPath, checkpointSteps } from "./names.js";
import { sha256 } from "./sha256.js";

/** What a checkpoint must be of; what is left out is not compared. */
export type ExpectedRun = Partial<Pick<CheckpointContent, "job" | "trajectory" | "data" | "model">>;

/**
 * Reads one checkpoint and checks every file of it.
 *
 * @throws RunError 'checkpointDamaged' naming the file, 'checkpointMismatch' naming what it is of instead,
 *   'newerFormat', 'storageFailed'
 */
export async function loadCheckpoint(
  run: RunDirectory,
  step: number,
  expected: ExpectedRun = {},
): Promise<CheckpointContent> {
  try {
    const folder = checkpointPath(run, step);
    const manifest = await readManifest(run, step);
    requireSameRun(manifest, expected);
    const files = await readTensorFiles(run, folder, manifest);
    return contentOf(manifest, files);
  } catch (error) {
    throw inCheckpoint(step, error);
  }
}

export interface NewestCheckpoint {
  /** Undefined if no checkpoint can be used: the run goes on from its initial parameters. */
  readonly content: CheckpointContent | undefined;
  /** The damaged ones that are newer, each with its reason. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export interface NewestCheckpointOptions {
  readonly expected?: ExpectedRun;
  /** A checkpoint that names a line which this ledger does not have is skipped. */
  readonly ledger?: LedgerContents;
  /**
   * Skip one whose best checkpoint is damaged or missing, as a run that goes on from it would end for
   * want of that one. From an older checkpoint the run repeats its way to the same best.
   */
  readonly withBest?: boolean;
}

/**
 * The newest checkpoint that verifies. One whose bytes are lost is skipped; one that cannot be read for another
 * reason, or was written by a newer version of this program, is not: a run must not go back behind it unasked.
 *
 * @throws RunError 'checkpointMismatch' for a whole checkpoint of something else, 'newerFormat', 'storageFailed'
 */
export async function newestCheckpoint(
  run: RunDirectory,
  { expected, ledger, withBest = false }: NewestCheckpointOptions = {},
): Promise<NewestCheckpoint> {
  const skipped: { name: string; reason: string }[] = [];
  for (const step of await checkpointSteps(run)) {
    try {
      const content = await loadCheckpoint(run, step, expected);
      const problem =
        (ledger === undefined ? undefined : positionProblem(ledger, content.ledger)) ??
        (withBest ? await bestProblem(run, content, expected) : undefined);
      if (problem === undefined) return { content, skipped };
      skipped.push({ name: checkpointName(step), reason: problem });
    } catch (error) {
      if (!(error instanceof RunError) || !isDamage(error)) throw error;
      const name = checkpointName(step);
      skipped.push({ name, reason: error.message.replace(`${name}: `, "") });
    }
  }
  return { content: undefined, skipped };
}

async function bestProblem(
  run: RunDirectory,
  { step, progress }: CheckpointContent,
  expected: ExpectedRun | undefined,
): Promise<string | undefined> {
  const { best } = progress;
  if (best === null || best.step === step) return undefined;
  try {
    await loadCheckpoint(run, best.step, expected);
    return undefined;
  } catch (error) {
    if (!(error instanceof RunError) || !isDamage(error)) throw error;
    return `it goes on from a best one that is lost: ${error.message}`;
  }
}

/**
 * How much of the ledger is known to have reached the disk: what the manifests name, which are written
 * after it. Undefined if no manifest can be read.
 */
export async function syncedLedgerBytes(run: RunDirectory): Promise<number | undefined> {
  let synced: number | undefined;
  for (const step of await checkpointSteps(run)) {
    try {
      const bytes = await readFileOf(run, checkpointPath(run, step), MANIFEST_FILE);
      synced = Math.max(synced ?? 0, decodeManifest(bytes).ledger.offset);
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
    }
  }
  return synced;
}

async function readTensorFiles(
  run: RunDirectory,
  folder: string,
  manifest: Manifest,
): Promise<Readonly<Record<TensorFile, Uint8Array>>> {
  const files = new Map<TensorFile, Uint8Array>();
  for (const name of TENSOR_FILES) {
    const bytes = await readFileOf(run, folder, name);
    const noted = manifest.files[name];
    if (bytes.length !== noted.bytes) {
      throw damaged(`${name} has ${bytes.length} bytes, not ${noted.bytes}`);
    }
    if ((await sha256(bytes)) !== noted.sha256) {
      throw damaged(`${name} does not have the SHA-256 that the manifest names`);
    }
    files.set(name, bytes);
  }
  return Object.fromEntries(files) as Record<TensorFile, Uint8Array>;
}

function contentOf(
  manifest: Manifest,
  files: Readonly<Record<TensorFile, Uint8Array>>,
): CheckpointContent {
  const { job, step, trajectory, data, model, profile, ledger, optimizer, progress } = manifest;
  const layouts = layoutsOf(model);
  const { layout } = layouts;
  const tensors = decodeTensors(files, layouts, optimizer);
  return { job, step, trajectory, data, model, profile, ledger, layout, progress, ...tensors };
}

function layoutsOf(model: RunModelSpec): {
  readonly layout: ParameterLayout;
  readonly statistics: StatisticsLayout;
} {
  try {
    const spec = compileRunModelSpec(model);
    return { layout: parameterLayout(spec), statistics: statisticsLayout(spec) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(`${MANIFEST_FILE} has a model that cannot be: ${reason}`);
  }
}

function requireSameRun(manifest: Manifest, expected: ExpectedRun): void {
  if (expected.model !== undefined && !isDeepStrictEqual(manifest.model, expected.model)) {
    throw mismatch(`of another model: ${firstDifference(manifest.model, expected.model)}`);
  }
  if (expected.job !== undefined && manifest.job !== expected.job) {
    throw mismatch(`of another job: ${manifest.job}, not ${expected.job}`);
  }
  if (expected.data !== undefined && manifest.data !== expected.data) {
    throw mismatch(`of other data: digest ${manifest.data}, not ${expected.data}`);
  }
  if (expected.trajectory !== undefined && manifest.trajectory !== expected.trajectory) {
    throw mismatch("of another config: its trajectory keys have other values");
  }
}

function firstDifference(found: RunModelSpec, expected: RunModelSpec): string {
  const before = new Map<string, unknown>(Object.entries(found));
  const after = new Map<string, unknown>(Object.entries(expected));
  const key = [...before.keys(), ...after.keys()].find(
    (name) => !isDeepStrictEqual(before.get(name), after.get(name)),
  );
  const [was, is] = [before.get(key ?? ""), after.get(key ?? "")];
  return `${key ?? ""} is ${JSON.stringify(was)}, not ${JSON.stringify(is)}`;
}

function mismatch(reason: string): RunError {
  return new RunError("checkpointMismatch", reason);
}

/** An error with the checkpoint's name before it; one of the files' contents is damage as well. */
function inCheckpoint(step: number, error: unknown): unknown {
  if (!(error instanceof RunError)) return error;
  const code = error.code === "tensorsCorrupt" ? "checkpointDamaged" : error.code;
  return new RunError(code, `${checkpointName(step)}: ${error.message}`, { cause: error });
}
