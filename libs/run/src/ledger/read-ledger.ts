/** A ledger's bytes → its records, every line checked against its hash and the line before it. */

import { readFile } from "node:fs/promises";

import { requireFormat, RunError } from "../errors/index.js";
import { openSealedJson } from "../sealed-json/index.js";
import { LEDGER_FORMAT, parseLine } from "./records.js";
import type { LedgerEntry } from "./records.js";

/** What the first line names as the hash before it. */
export const CHAIN_START = "0".repeat(64);

export interface LedgerContents {
  readonly records: readonly LedgerEntry[];
  /** Hash of the last whole line. */
  readonly head: string;
  /** Bytes of the whole lines. */
  readonly bytes: number;
  /** What a crash left behind the whole lines; a resume cuts it off. */
  readonly tornTail: { readonly bytes: number } | undefined;
}

export interface ReadLedgerOptions {
  /**
   * Bytes that are known to have been on the disk. Beyond them a crash of the machine can leave anything,
   * so that from the first damaged line on all is torn tail. Default: only a last line can be torn.
   */
  readonly syncedBytes?: number;
}

const NEWLINE = 0x0a;

/**
 * Reads a ledger file.
 *
 * @throws RunError 'ledgerCorrupt' naming the line and what is wrong; 'newerFormat'; 'storageFailed'
 */
export async function readLedger(
  path: string,
  options: ReadLedgerOptions = {},
): Promise<LedgerContents> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new RunError("storageFailed", `${path}: cannot be read (${reason})`, { cause: error });
  }
  return decodeLedger(bytes, path, options);
}

/**
 * Checks and parses a ledger.
 *
 * @param name names the file in messages
 * @throws RunError 'ledgerCorrupt' | 'newerFormat'
 */
export function decodeLedger(
  bytes: Uint8Array,
  name: string,
  { syncedBytes = Infinity }: ReadLedgerOptions = {},
): LedgerContents {
  const records: LedgerEntry[] = [];
  let head = CHAIN_START;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) break;
    try {
      const entry = openLine(bytes, start, end, name, records.length + 1, head);
      if (entry === undefined) break;
      records.push(entry);
      head = entry.hash;
      start = end + 1;
    } catch (error) {
      const isDamage = error instanceof RunError && error.code === "ledgerCorrupt";
      if (isDamage && start >= syncedBytes) break;
      throw error;
    }
  }
  const tornTail = start < bytes.length ? { bytes: bytes.length - start } : undefined;
  return { records, head, bytes: start, tornTail };
}

/** The entry of one line; undefined for the garbage that a crash can leave as the last one. */
function openLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: string,
  line: number,
  head: string,
): LedgerEntry | undefined {
  const opened = openSealedJson(bytes.subarray(start, end));
  const isLast = end + 1 === bytes.length;
  // Anywhere else, and in any other form, it is damage.
  if (opened.flaw === "malformed" && isLast) return undefined;
  const place = `${name}:${line}`;
  if (opened.flaw !== undefined) {
    const what = opened.flaw === "malformed" ? "is not JSON" : "does not have the hash it names";
    throw new RunError("ledgerCorrupt", `${place}: the line was changed: it ${what}`);
  }
  return entryOf(opened.value, opened.hash, end + 1, name, line, head);
}

function entryOf(
  value: Readonly<Record<string, unknown>>,
  hash: string,
  offset: number,
  name: string,
  line: number,
  head: string,
): LedgerEntry {
  const place = `${name}:${line}`;
  requireFormat(value, LEDGER_FORMAT, name);
  const parsed = parseLine(value);
  if (typeof parsed === "string") {
    throw new RunError("ledgerCorrupt", `${place}: the line ${parsed}`);
  }
  const { chain, record } = parsed;
  if (chain.seq > line) {
    const cut = chain.seq - line === 1 ? `line ${line}` : `lines ${line} to ${chain.seq - 1}`;
    throw new RunError(
      "ledgerCorrupt",
      `${place}: ${cut} cut out or moved: line ${chain.seq} stands here`,
    );
  }
  if (chain.seq < line) {
    throw new RunError(
      "ledgerCorrupt",
      `${place}: line ${chain.seq} was doubled or moved: it stands here as well`,
    );
  }
  if (chain.prev !== head) {
    throw new RunError(
      "ledgerCorrupt",
      `${place}: the line before was changed: this one follows another`,
    );
  }
  return { ...record, ...chain, hash, offset };
}

/**
 * Why a position that was noted elsewhere, such as in a checkpoint, is not one of this ledger's.
 */
export function positionProblem(
  ledger: LedgerContents,
  position: { readonly head: string; readonly offset: number },
): string | undefined {
  const entry = ledger.records.find(({ offset }) => offset >= position.offset);
  if (entry === undefined) {
    return `the ledger was cut: it has ${ledger.bytes} bytes, ${position.offset} were noted`;
  }
  if (entry.offset !== position.offset || entry.hash !== position.head) {
    return `the ledger's line at byte ${position.offset} is not the one that was noted`;
  }
  return undefined;
}
