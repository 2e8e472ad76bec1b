/** The proof that a run's files are those that were written, and that every sample counted once. */

import { SIDES } from "@ostinato/data";
import type { Dataset } from "@ostinato/data";

import { trajectoryDigest } from "../config/index.js";
import type { RunModelSpec } from "../data/index.js";
import { openRunDirectory, runPaths } from "../directory/index.js";
import type { RunDirectory } from "../directory/index.js";
import { RunError } from "../errors/index.js";
import { readLedger } from "../ledger/index.js";
import type { LedgerContents } from "../ledger/index.js";
import { FileStorage } from "../storage/index.js";
import type { Storage } from "../storage/index.js";
import { checkCheckpoints } from "./checkpoint-checks.js";
import type { CheckedCheckpoint, StepDigest } from "./checkpoint-checks.js";
import { History, runRecordOf } from "./history.js";
import type { VerifySummary } from "./history.js";
import { Problems } from "./problems.js";
import { readRunData } from "./run-data.js";

export interface VerifyOptions {
  /** Given, the parameters of each checkpoint are compared with the ledger's digest of that step. */
  readonly stepDigest?: StepDigest;
  readonly storage?: Storage;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** One line each, naming file and line, step, leaf and worker as far as they are known. */
  readonly problems: readonly string[];
  readonly summary: Readonly<VerifySummary>;
}

/**
 * Recomputes every checksum of a run and follows its ledger, with the data read anew.
 *
 * @param path of a run directory
 * @throws RunError 'notARun'; whatever else is wrong is in the report
 */
export async function verifyRun(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { stepDigest, storage = new FileStorage() } = options;
  const problems = new Problems();
  const run = await collect(problems, "run directory", () => openRunDirectory(path, storage));
  const ledger = await collect(problems, "ledger", () => readLedger(runPaths(path).ledger));
  if (ledger?.tornTail !== undefined) {
    const line = `ledger.jsonl:${ledger.records.length + 1}`;
    problems.add(line, `a torn line of ${ledger.tornTail.bytes} bytes; a resume cuts it off`);
  }
  let summary = EMPTY;
  if (run !== undefined) {
    if (ledger !== undefined) summary = await followLedger(run, ledger, problems);
    const checkpoints = await checkCheckpoints(run, ledger, stepDigest, problems);
    await checkEnd(run, ledger, checkpoints, problems);
    if (ledger !== undefined) await checkMetrics(run, ledger, problems);
  }
  return { ok: problems.lines.length === 0, problems: problems.lines, summary };
}

const EMPTY: VerifySummary = {
  steps: 0,
  skippedSteps: 0,
  skippedSamples: 0,
  epochs: 0,
  samples: 0,
  evaluations: 0,
  resumes: 0,
  ended: false,
  stopReason: null,
  workers: [],
};

async function followLedger(
  run: RunDirectory,
  ledger: LedgerContents,
  problems: Problems,
): Promise<VerifySummary> {
  const record = runRecordOf(ledger.records);
  const dataset = record && (await readRunData(run.config, record.data, problems));
  if (record !== undefined) {
    const digest = trajectoryDigest(run.config);
    problems.compare("config.yaml", "the digest of its trajectory keys", digest, record.trajectory);
    const { vocabulary } = run;
    const { model } = record;
    if (model.kind === "languageModel") {
      problems.compare("vocabulary.json", "its size", vocabulary?.size, model.vocabularySize);
    }
    checkPairVocabularies(run, model, dataset, problems);
    const symbols = vocabulary?.symbols ?? [];
    if (dataset?.kind === "text" && !isSame(symbols, dataset.vocabulary.symbols)) {
      problems.add("vocabulary.json", "its symbols are not those of the data");
    }
  }
  const history = new History(run.config, dataset, problems);
  for (const entry of ledger.records) history.follow(entry);
  return history.summary();
}

/** Of both sides, against the model and the data. */
function checkPairVocabularies(
  { pairVocabularies }: RunDirectory,
  model: RunModelSpec,
  dataset: Dataset | undefined,
  problems: Problems,
): void {
  if (model.kind !== "encoderDecoder") return;
  const sizes = { source: model.sourceVocabularySize, target: model.targetVocabularySize };
  for (const side of SIDES) {
    const own = pairVocabularies?.[side];
    problems.compare("vocabulary.json", `the size of its ${side}`, own?.size, sizes[side]);
    if (dataset?.kind !== "pairs") continue;
    const { form, tokens } = dataset.vocabularies[side];
    if (own?.form === form && isSame(own.tokens, tokens)) continue;
    problems.add("vocabulary.json", `the tokens of its ${side} are not those of the data`);
  }
}

/** end.json against the ledger's end record and the last checkpoint. */
async function checkEnd(
  run: RunDirectory,
  ledger: LedgerContents | undefined,
  checkpoints: readonly CheckedCheckpoint[],
  problems: Problems,
): Promise<void> {
  const end = await collect(problems, "run directory", () => run.readEnd());
  const record = ledger?.records.find((entry) => entry.type === "end");
  const exists = await run.storage.exists(run.paths.end);
  if (!exists && record !== undefined) {
    problems.add("end.json", `is missing, although the ledger ends in line ${record.seq}`);
  }
  if (end === undefined) return;
  if (ledger !== undefined && record === undefined) {
    problems.add("end.json", "the ledger has no end record: its last lines were cut");
  }
  if (record !== undefined) {
    problems.compare("end.json", "step", end.step, record.step);
    problems.compare("end.json", "outcome", end.outcome, record.outcome);
    problems.compare("end.json", "ledger.head", end.ledger.head, record.hash);
    problems.compare("end.json", "ledger.offset", end.ledger.offset, record.offset);
    const { parametersSha256 } = record;
    problems.compare("end.json", "parametersSha256", end.parametersSha256, parametersSha256);
  }
  const last = checkpoints.find(({ step }) => step === end.step);
  if (last === undefined) {
    problems.add("end.json", `there is no whole checkpoint of its step ${end.step}`);
  } else if (last.parametersSha256 !== end.parametersSha256) {
    problems.add(
      "end.json",
      `parametersSha256 is ${end.parametersSha256}; the checkpoint of step ${end.step} has ` +
        last.parametersSha256,
    );
  }
}

/** The chain does not show that its last lines were cut; that another file knows of more steps does. */
async function checkMetrics(
  { storage, paths }: RunDirectory,
  { records }: LedgerContents,
  problems: Problems,
): Promise<void> {
  if (!(await storage.exists(paths.metrics))) return;
  const text = Buffer.from(await storage.read(paths.metrics)).toString();
  const told = Math.max(0, ...[...text.matchAll(/^\{"type":"step","step":(\d+)/gm)].map(stepIn));
  const committed = records.findLast((entry) => entry.type === "step")?.step ?? 0;
  if (told <= committed) return;
  problems.add(
    "metrics.jsonl",
    `has step ${told}, the ledger ends with step ${committed}: its last lines were cut or lost`,
  );
}

function stepIn([, step]: RegExpExecArray): number {
  return Number(step);
}

/** The value, or undefined with its error as a problem; only that there is no run at all is thrown on. */
async function collect<T>(
  problems: Problems,
  place: string,
  action: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof RunError) || error.code === "notARun") throw error;
    problems.add(place, error.message);
    return undefined;
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((symbol, id) => symbol === b[id]);
}
