/** What is known of a played schedule: its history, and what the run left on disk. */

import { readLedger, runPaths, verifyRun } from "@ostinato/run";
import type { LedgerEntry, VerifyReport } from "@ostinato/run";
import { existsSync, readFileSync } from "node:fs";
import type { PlayedSchedule } from "../conductor/index.js";
import type { TimedEvent } from "../history/index.js";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly worker?: string;
  readonly reason?: string;
  readonly pid: number;
}

/** One of the coordinator's lives. */
export interface Life {
  readonly pid: number;
  /** Of the events between its start and its end. */
  readonly events: readonly TimedEvent[];
  readonly incarnation: number | undefined;
}

export interface Facts extends PlayedSchedule {
  readonly events: readonly TimedEvent[];
  readonly lives: readonly Life[];
  readonly ledger: readonly LedgerEntry[];
  readonly log: readonly LogLine[];
  readonly verified: VerifyReport;
  /** What the same run ends with when nothing disturbs it. */
  readonly expectedSha256: string;
}

/** @throws whatever keeps the run from being read at all */
export async function gatherFacts(played: PlayedSchedule, expectedSha256: string): Promise<Facts> {
  const paths = runPaths(played.runDirectory);
  const { records } = await readLedger(paths.ledger);
  const { events } = played.history;
  return {
    ...played,
    events,
    lives: livesOf(events),
    ledger: records,
    log: readLog(`${paths.logs}/coordinator.log`),
    verified: await verifyRun(played.runDirectory),
    expectedSha256,
  };
}

/** What a complete run ended with. @throws Error if it is not complete */
export async function parametersOf(runDirectory: string): Promise<string> {
  const { records } = await readLedger(runPaths(runDirectory).ledger);
  const end = records.find((record) => record.type === "end");
  if (end === undefined) throw new Error(`${runDirectory}: the run did not come to its end`);
  return end.parametersSha256;
}

function readLog(path: string): readonly LogLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LogLine);
}

function livesOf(events: readonly TimedEvent[]): readonly Life[] {
  const starts = events.flatMap((event, index) =>
    event.kind === "process" && event.role === "coordinator" && event.what === "started"
      ? [{ index, pid: event.pid }]
      : [],
  );
  return starts.map(({ index, pid }, life) => {
    const own = events.slice(index, starts[life + 1]?.index);
    const joined = own.find((event) => event.kind === "joined");
    return { pid, events: own, incarnation: joined?.incarnation };
  });
}
