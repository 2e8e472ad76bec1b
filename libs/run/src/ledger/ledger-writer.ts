/** Appends to a ledger: one line a record, chained to the line before. */

import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

import { RunError, storageFailed } from "../errors/index.js";
import { sealJson } from "../sealed-json/index.js";
import { CHAIN_START } from "./read-ledger.js";
import type { LedgerContents } from "./read-ledger.js";
import type { LedgerRecord } from "./records.js";

const flush = promisify(fdatasync);

/** Where the ledger ends after an append. */
export interface AppendedLine {
  /** Hash of the line. */
  readonly head: string;
  /** Bytes of the ledger up to and including the line. */
  readonly offset: number;
  /** 1-based. */
  readonly line: number;
}

/**
 * The one writer of a ledger. A line is with the operating system when `append` returns, and so survives
 * the end of the process; it survives the machine's once `sync` has resolved.
 */
export class LedgerWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #incarnation: number;
  readonly #guard: () => void;
  #head: string;
  #offset: number;
  #line: number;

  private constructor(
    path: string,
    file: number,
    incarnation: number,
    end: Readonly<{ head: string; offset: number; line: number }>,
    guard: () => void,
  ) {
    this.#path = path;
    this.#file = file;
    this.#incarnation = incarnation;
    this.#head = end.head;
    this.#offset = end.offset;
    this.#line = end.line;
    this.#guard = guard;
  }

  /**
   * Begins the ledger of a new run, with incarnation 1.
   *
   * @param guard runs before every line and sync, and throws if this is not the one writer any more
   * @throws RunError 'runDirectoryInUse' if there is one, 'storageFailed'
   */
  static create(path: string, guard: () => void = () => undefined): LedgerWriter {
    const file = open(path, "wx");
    syncFolder(dirname(path));
    return new LedgerWriter(path, file, 1, { head: CHAIN_START, offset: 0, line: 0 }, guard);
  }

  /**
   * Goes on with a ledger that was read, in the next incarnation. Cuts off its torn tail.
   *
   * @param guard as for {@link create}
   * @throws RunError 'storageFailed'
   */
  static resume(
    path: string,
    contents: LedgerContents,
    guard: () => void = () => undefined,
  ): LedgerWriter {
    guard();
    const file = open(path, "r+");
    const { records, head, bytes } = contents;
    try {
      ftruncateSync(file, bytes);
    } catch (error) {
      closeSync(file);
      throw storageFailed(path, error);
    }
    const end = { head, offset: bytes, line: records.length };
    return new LedgerWriter(path, file, (records.at(-1)?.incarnation ?? 0) + 1, end, guard);
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  /**
   * Writes one line. After a failure the ledger is as it was before.
   *
   * @throws RunError 'storageFailed', and what the guard throws
   */
  append(record: LedgerRecord): AppendedLine {
    this.#guard();
    const { line, hash } = sealJson({
      seq: this.#line + 1,
      incarnation: this.#incarnation,
      prev: this.#head,
      ...record,
    });
    const bytes = Buffer.from(`${line}\n`);
    try {
      for (let written = 0; written < bytes.length;) {
        const position = this.#offset + written;
        written += writeSync(this.#file, bytes, written, bytes.length - written, position);
      }
    } catch (error) {
      this.#cutHalfLine();
      throw storageFailed(this.#path, error);
    }
    this.#head = hash;
    this.#offset += bytes.length;
    this.#line += 1;
    return { head: hash, offset: this.#offset, line: this.#line };
  }

  /** Half a line would be taken for damage once another one follows; alone it is a torn tail. */
  #cutHalfLine(): void {
    try {
      ftruncateSync(this.#file, this.#offset);
    } catch {
      // The failure to write is the one to tell; the next append starts at the same byte.
    }
  }

  /**
   * Resolves when all lines appended so far are on the disk.
   *
   * @throws RunError 'storageFailed', and what the guard throws
   */
  async sync(): Promise<void> {
    this.#guard();
    await this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      await flush(this.#file);
    } catch (error) {
      throw storageFailed(this.#path, error);
    }
  }

  /** Syncs and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      closeSync(this.#file);
    }
  }
}

/** Without it a crash of the machine can take the file's name, whatever is synced of its bytes. */
function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function open(path: string, flags: "wx" | "r+"): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new RunError("runDirectoryInUse", `${path}: holds the ledger of a run already`, {
        cause: error,
      });
    }
    throw storageFailed(path, error);
  }
}
