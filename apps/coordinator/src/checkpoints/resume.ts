/** Where a run goes on: the newest checkpoint that verifies, and what the ledger has beyond it. */

import { newestCheckpoint, readLedger, RunError, syncedLedgerBytes } from "@ostinato/run";
import type { CheckpointContent, LedgerContents, RunDirectory, RunModelSpec } from "@ostinato/run";
import type { NumericsProfile } from "@ostinato/proto";
import type { LedgerPosition, ReplayLine } from "../ledger/index.js";

export interface ResumePoint {
  readonly job: string;
  readonly profile: NumericsProfile | undefined;
  /** Undefined: no checkpoint verifies, the run is repeated from its initial parameters. */
  readonly checkpoint: CheckpointContent | undefined;
  /** Ledger as of the checkpoint. */
  readonly position: LedgerPosition;
  /** Committed before, to be repeated and compared. */
  readonly replay: readonly ReplayLine[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly ledger: LedgerContents;
  /** The newest step the ledger has. */
  readonly ledgerStep: number;
}

/** @throws {RunError} `ledgerCorrupt`, `dataChanged`, `checkpointMismatch` */
export async function findResumePoint(
  directory: RunDirectory,
  expected: {
    readonly trajectory: string;
    readonly data: string;
    readonly model: RunModelSpec;
  },
): Promise<ResumePoint> {
  const syncedBytes = await syncedLedgerBytes(directory);
  const ledger = await readLedger(
    directory.paths.ledger,
    syncedBytes === undefined ? {} : { syncedBytes },
  );
  const run = ledger.records.find((record) => record.type === "run");
  if (run?.type !== "run") {
    throw new RunError(
      "ledgerCorrupt",
      `${directory.paths.ledger}: the first line, the run's, is missing`,
    );
  }
  const { job } = run;
  // Before the checkpoints: with another character in the text, the model is another one too.
  if (run.data !== expected.data) {
    const files = [directory.config.data.files].flat().join(", ");
    throw new RunError(
      "dataChanged",
      `${files}: the text has changed since the run began with it (digest ` +
        `${expected.data.slice(0, 12)}, the run has ${run.data.slice(0, 12)})`,
    );
  }
  const newest = await newestCheckpoint(directory, {
    expected: { ...expected, job },
    ledger,
    withBest: true,
  });
  const checkpoint = newest.content;
  const position = checkpoint?.ledger ?? { head: run.hash, offset: run.offset };
  const replay: ReplayLine[] = [];
  let ledgerStep = 0;
  let profile: NumericsProfile | undefined;
  for (const {
    seq: _seq,
    incarnation: _inc,
    prev: _prev,
    hash,
    offset,
    ...record
  } of ledger.records) {
    if (record.type === "profile") {
      const { backend, version, digest } = record;
      profile = { backend, version, digest };
    }
    if (record.type === "step") ledgerStep = Math.max(ledgerStep, record.step);
    const isCommit =
      record.type === "step" || record.type === "evaluation" || record.type === "end";
    if (isCommit && offset > position.offset) {
      replay.push({ record, position: { head: hash, offset } });
    }
  }
  const { skipped } = newest;
  return { job, profile, checkpoint, position, replay, skipped, ledger, ledgerStep };
}
