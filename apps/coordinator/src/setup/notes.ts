import type { OpenRun } from "./open-run.js";
import type { RunData } from "./run-data.js";

/** A sentence for the log and for whoever started the run. */
export interface Note {
  readonly level: "info" | "warn";
  readonly text: string;
}

/** What there is to say of a run before its first step: of its text, and of what a resume found. */
export function notesOf(
  data: Pick<RunData, "notes">,
  run: Pick<OpenRun, "resumed" | "ledger">,
): Note[] {
  const notes: Note[] = data.notes.map((text) => ({ level: "info", text }));
  const { resumed } = run;
  if (resumed === undefined) return notes;
  for (const { name, reason } of resumed.skipped) {
    notes.push({ level: "warn", text: `${name} was skipped: ${reason}` });
  }
  const torn = resumed.ledger.tornTail?.bytes ?? 0;
  if (torn > 0) {
    notes.push({
      level: "warn",
      text: `${torn} bytes at the ledger's end were damaged and are cut off`,
    });
  }
  const from = resumed.checkpoint?.step ?? 0;
  const text = `resumed from step ${from}; ${run.ledger.numToReplay} ledger lines to repeat`;
  return [...notes, { level: "info", text }];
}
