/**
 * What was committed, and the comparison of repeated steps with it.
 *
 * @example
 * const { position, replayed } = ledger.commit(stepRecord);
 */
export { RunLedger } from "./run-ledger.js";
export type { LedgerPosition, ReplayLine } from "./run-ledger.js";
