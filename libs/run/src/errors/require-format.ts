import { RunError } from "./run-error.js";

/**
 * Refuses what a later version of this program has written: it is whole, and not for this one to call damaged
 * or to remove. What names no format, or one that never was, is for the caller to judge.
 *
 * @param value the parsed content of a file
 * @param known the newest format that this program reads
 * @param name names the file in messages
 * @throws RunError 'newerFormat'
 */
export function requireFormat(value: unknown, known: number, name: string): void {
  if (typeof value !== "object" || value === null || !("format" in value)) return;
  const { format } = value;
  if (typeof format !== "number" || !Number.isInteger(format) || format <= known) return;
  throw new RunError(
    "newerFormat",
    `${name}: is of format ${format}, which a newer version of this program has written; ` +
      `this one reads up to ${known}: go on with that version`,
  );
}
