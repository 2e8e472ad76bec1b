/** Appends to a ledger: one line a record, chained to the line before. */

import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

import { RunError, storageFailed } from "../errors/index.js";
import { sealJson } from "../sealed-json/index.js";
import { syncFolder } from "../storage/index.js";
import { headAfter } from "./follow-chain.js";
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

export interface LedgerWriterOptions {
  /** Runs before every line and sync, and throws if this is not the one writer any more. */
  readonly guard?: () => void;
  /** Of the lines to come; the one after the last line's where that is higher. Default 1. */
  readonly incarnation?: number;
}

type End = Readonly<{ head: string; offset: number; line: number }>;

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
  /** Up to where all is known to be on the disk. */
  #synced: Readonly<{ head: string; offset: number }>;
  /** After a sync that failed the system may take lost bytes for written ones: the next sync tells nothing. */
  #isDoubtful = false;

  private constructor(
    path: string,
    file: number,
    incarnation: number,
    end: End,
    guard: () => void,
  ) {
    this.#path = path;
    this.#file = file;
    this.#incarnation = incarnation;
    this.#head = end.head;
    this.#offset = end.offset;
    this.#line = end.line;
    this.#synced = end;
    this.#guard = guard;
  }

  /**
   * Begins the ledger of a new run.
   *
   * @throws RunError 'runDirectoryInUse' if there is one, 'storageFailed'
   */
  static create(path: string, options: LedgerWriterOptions = {}): LedgerWriter {
    const { guard = () => undefined, incarnation = 1 } = options;
    const file = open(path, "wx+");
    syncFolder(dirname(path));
    return new LedgerWriter(
      path,
      file,
      incarnation,
      { head: CHAIN_START, offset: 0, line: 0 },
      guard,
    );
  }

  /**
   * Goes on with a ledger that was read, in a further incarnation, without its torn tail. The whole lines
   * become a file of its own under the ledger's name: what the writer of an older incarnation still writes,
   * having slept since it asked its guard, goes to a file that has no name any more.
   *
   * @throws RunError 'storageFailed', and what the guard throws; then the ledger is as it was
   */
  static async resume(
    path: string,
    contents: LedgerContents,
    options: LedgerWriterOptions = {},
  ): Promise<LedgerWriter> {
    const { guard = () => undefined, incarnation = 1 } = options;
    guard();
    const { records, head, bytes } = contents;
    const file = await copyOf(path, bytes, guard);
    const end = { head, offset: bytes, line: records.length };
    const least = (records.at(-1)?.incarnation ?? 0) + 1;
    return new LedgerWriter(path, file, Math.max(incarnation, least), end, guard);
  }

  /** Of the lines that are appended. */
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
      writeAll(this.#file, bytes, this.#offset);
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
    const end = { head: this.#head, offset: this.#offset };
    try {
      if (this.#isDoubtful) this.#writeAgain();
      await flush(this.#file);
    } catch (error) {
      this.#isDoubtful = true;
      throw error instanceof RunError ? error : storageFailed(this.#path, error);
    }
    this.#isDoubtful = false;
    this.#synced = end;
  }

  /** The lines that a failed sync left in doubt, from the file itself: its chain tells if they are whole. */
  #writeAgain(): void {
    const { head, offset } = this.#synced;
    const bytes = Buffer.alloc(this.#offset - offset);
    readSync(this.#file, bytes, 0, bytes.length, offset);
    if (headAfter(head, bytes) !== this.#head) {
      throw new RunError(
        "storageFailed",
        `${this.#path}: the disk has lost lines behind byte ${offset}`,
      );
    }
    writeAll(this.#file, bytes, offset);
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

function writeAll(file: number, bytes: Uint8Array, offset: number): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(file, bytes, written, bytes.length - written, offset + written);
  }
}

/** The descriptor of a file with the first bytes of the one at the path, which it has taken the place of. */
async function copyOf(path: string, numBytes: number, guard: () => void): Promise<number> {
  const name = `.${basename(path)}.${randomUUID().slice(0, 8)}.partial`;
  const temporary = join(dirname(path), name);
  let file: number | undefined;
  try {
    await copyFile(path, temporary, constants.COPYFILE_FICLONE);
    file = openSync(temporary, "r+");
    ftruncateSync(file, numBytes);
    fsyncSync(file);
    guard();
    renameSync(temporary, path);
    syncFolder(dirname(path));
    return file;
  } catch (error) {
    if (file !== undefined) closeSync(file);
    rmSync(temporary, { force: true });
    throw error instanceof RunError ? error : storageFailed(path, error);
  }
}

function open(path: string, flags: "wx+"): number {
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
