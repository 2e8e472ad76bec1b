/** Every checkpoint of a run against its own checksums and against the ledger. */

import { isDeepStrictEqual } from "node:util";

import { evaluatedParameters } from "@ostinato/lstm";
import type { Decisions, DecisionState } from "@ostinato/lstm";

import {
  checkpointName,
  checkpointSteps,
  loadCheckpoint,
  parametersSha256,
  readPointer,
} from "../checkpoint/index.js";
import type { CheckpointContent, CheckpointProfile, ExpectedRun } from "../checkpoint/index.js";
import { decisionsOf, replayDecisions } from "../decisions/index.js";
import type { RunDirectory } from "../directory/index.js";
import { RunError } from "../errors/index.js";
import { positionProblem } from "../ledger/index.js";
import type { LedgerContents } from "../ledger/index.js";
import { runRecordOf } from "./history.js";
import type { Problems } from "./problems.js";

/**
 * Digest (hex) of a version as the ledger's steps have it: over the frames in which its parameters and
 * running statistics are sent.
 */
export type StepDigest = (version: Pick<CheckpointContent, "parameters" | "statistics">) => string;

export interface CheckedCheckpoint {
  readonly step: number;
  readonly parametersSha256: string;
}

/** Checks all checkpoints; returns the whole ones, newest first. */
export async function checkCheckpoints(
  run: RunDirectory,
  ledger: LedgerContents | undefined,
  stepDigest: StepDigest | undefined,
  problems: Problems,
): Promise<readonly CheckedCheckpoint[]> {
  const record = ledger && runRecordOf(ledger.records);
  const expected: ExpectedRun =
    record === undefined
      ? {}
      : {
          job: record.job,
          trajectory: record.trajectory,
          data: record.data,
          model: record.model,
        };
  const decisions = decisionsOf(run.config);
  const checked: CheckedCheckpoint[] = [];
  for (const step of await checkpointSteps(run)) {
    try {
      const content = await loadCheckpoint(run, step, expected);
      checked.push({ step, parametersSha256: await parametersSha256(content.parameters) });
      if (ledger !== undefined) {
        checkAgainstLedger(content, ledger, stepDigest, decisions, problems);
      }
    } catch (error) {
      if (!(error instanceof RunError)) throw error;
      problems.add("checkpoints", error.message);
    }
  }
  for (const name of ["latest", "best"] as const) {
    await checkPointer(run, name, ledger, checked, problems);
  }
  return checked;
}

function checkAgainstLedger(
  content: CheckpointContent,
  ledger: LedgerContents,
  stepDigest: StepDigest | undefined,
  decisions: Decisions,
  problems: Problems,
): void {
  const { step } = content;
  const place = `checkpoints: ${checkpointName(step)}`;
  const problem = positionProblem(ledger, content.ledger);
  if (problem !== undefined) {
    problems.add(place, problem);
    return;
  }
  const committed = ledger.records.find(
    (entry) =>
      (entry.type === "step" && entry.step === step) || (entry.type === "run" && step === 0),
  );
  if (committed === undefined || committed.offset > content.ledger.offset) {
    problems.add(place, `step ${step} is not in the ledger up to byte ${content.ledger.offset}`);
  } else if (stepDigest !== undefined && "parameters" in committed) {
    const digest = stepDigest(content);
    problems.compare(place, "the parameters' digest", digest, committed.parameters);
    if (digest === committed.parameters) {
      checkEvaluated(content, ledger, stepDigest, place, problems);
    }
  }
  checkDecisions(content, ledger, decisions, place, problems);
}

/** An average that was evaluated after the step is the checkpoint's: the ledger alone can't tell. */
function checkEvaluated(
  { step, parameters, optimizer, statistics }: CheckpointContent,
  { records }: LedgerContents,
  stepDigest: StepDigest,
  place: string,
  problems: Problems,
): void {
  const evaluated = evaluatedParameters(parameters, optimizer);
  if (evaluated === parameters) return;
  const digest = stepDigest({ parameters: evaluated, statistics });
  for (const entry of records) {
    if (entry.type !== "evaluation" || entry.step !== step || entry.parameters === digest) continue;
    problems.add(place, `ledger.jsonl:${entry.seq} evaluates other parameters than its average`);
  }
}

/** What the manifest says of the run up to there follows from the ledger up to there. */
function checkDecisions(
  { step, optimizer, progress, profile, ledger: { offset } }: CheckpointContent,
  { records }: LedgerContents,
  decisions: Decisions,
  place: string,
  problems: Problems,
): void {
  const before = records.filter((entry) => entry.offset <= offset);
  const skipped = before.filter((entry) => entry.type === "step" && entry.skipped !== null).length;
  const applied = step - skipped;
  problems.compare(place, "optimizer.stepCount", optimizer.stepCount, applied);
  const decided = replayDecisions(decisions, before);
  for (const name of Object.keys(decided) as (keyof DecisionState)[]) {
    if (isDeepStrictEqual(progress[name], decided[name])) continue;
    const [found, expected] = [progress[name], decided[name]].map((value) => JSON.stringify(value));
    problems.add(place, `progress.${name} is ${String(found)}, not ${String(expected)}`);
  }
  // The first worker may join, and set the profile, while the first checkpoint is being written.
  const isKnown =
    profile === null
      ? applied === 0
      : records.some((entry) => entry.type === "profile" && isSameProfile(entry, profile));
  if (!isKnown) problems.add(place, "its numerics profile is not one of the ledger's");
}

function isSameProfile(a: CheckpointProfile, b: CheckpointProfile): boolean {
  return a.backend === b.backend && a.version === b.version && a.digest === b.digest;
}

async function checkPointer(
  run: RunDirectory,
  name: "latest" | "best",
  ledger: LedgerContents | undefined,
  checked: readonly CheckedCheckpoint[],
  problems: Problems,
): Promise<void> {
  const place = `checkpoints: ${name}.json`;
  try {
    const pointer = await readPointer(run, name);
    if (pointer === undefined) {
      if (name === "latest" && checked.length > 0) problems.add(place, "is missing");
      return;
    }
    const { step, loss } = pointer;
    if (!checked.some((checkpoint) => checkpoint.step === step)) {
      problems.add(place, `names ${checkpointName(step)}, which is missing or damaged`);
    }
    if (name === "latest" || ledger === undefined) return;
    const evaluation = ledger.records.find(
      (entry) => entry.type === "evaluation" && entry.best && entry.step === step,
    );
    if (evaluation?.type !== "evaluation" || evaluation.loss !== loss) {
      problems.add(
        place,
        `the ledger has no best evaluation at step ${step} with loss ${String(loss)}`,
      );
    }
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    problems.add("checkpoints", error.message);
  }
}
