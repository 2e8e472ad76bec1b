/**
 * The ledger: what was committed, line by line, in a chain of hashes.
 *
 * @example
 * ```ts
 * const ledger = await readLedger("runs/book/ledger.jsonl"); // checks every line
 * const writer = await LedgerWriter.resume("runs/book/ledger.jsonl", ledger);
 * const { head, offset } = writer.append(stepRecord);
 * await writer.sync(); // before a checkpoint that names head and offset becomes visible
 * ```
 *
 * @module
 */
export { LedgerWriter } from "./ledger-writer.js";
export type { AppendedLine, LedgerWriterOptions } from "./ledger-writer.js";
export { CHAIN_START, decodeLedger, positionProblem, readLedger } from "./read-ledger.js";
export type { LedgerContents, ReadLedgerOptions } from "./read-ledger.js";
export type {
  EndRecord,
  EvaluationRecord,
  LedgerEntry,
  LedgerRecord,
  LinePosition,
  ProfileRecord,
  ResumeRecord,
  RunRecord,
  StepRecord,
} from "./records.js";
