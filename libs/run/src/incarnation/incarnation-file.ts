/**
 * `incarnations/000003.json`: who works in a run directory as its third incarnation. The name is made once,
 * whole and exclusively, and never goes away; the file's modification time is the heartbeat of its holder, and a
 * second line tells that the holder has given it up.
 */

import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  fstatSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

import { z } from "zod";

import { RunError, storageFailed } from "../errors/index.js";
import { syncFolder } from "../storage/index.js";
import { processIdentitySchema } from "./process-identity.js";

const holderSchema = z.object({
  format: z.literal(1),
  incarnation: z.int().positive(),
  /** Of this claim alone: whose a file is that a network file system may have made although it said no. */
  id: z.string(),
  process: processIdentitySchema,
  since: z.string(),
  /** A holder without a heartbeat for as long has given up. */
  deadlineMs: z.number().positive(),
});

export type Holder = z.output<typeof holderSchema>;

const releaseSchema = z.object({ releasedAt: z.string() });

/** What an incarnation's file says at a moment. */
export interface SeenIncarnation {
  /** Undefined for one whose holder has not come to write itself down. */
  readonly holder: Holder | undefined;
  readonly isReleased: boolean;
  /** Modification time: moves while the holder lives. */
  readonly heartbeatMs: number;
}

export function incarnationPath(folder: string, incarnation: number): string {
  return join(folder, `${String(incarnation).padStart(6, "0")}.json`);
}

/** The newest incarnation that has a file; 0 if there is none. */
export function newestIncarnation(folder: string): number {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw storageFailed(folder, error);
  }
  return Math.max(0, ...names.map((name) => Number(/^(\d{6,})\.json$/.exec(name)?.[1] ?? 0)));
}

/**
 * The file of a new incarnation.
 *
 * @returns its descriptor; undefined if somebody else has made it
 * @throws RunError 'storageFailed'
 */
export function createIncarnation(path: string, holder: Holder): number | undefined {
  const temporary = join(dirname(path), `.${basename(path)}.${holder.id}.partial`);
  try {
    const written = writeNew(temporary, holder);
    const file = takeName(written, temporary, path, holder);
    if (file !== written) closeSync(written);
    if (file !== undefined) syncFolder(dirname(path));
    return file;
  } catch (error) {
    if (error instanceof RunError) throw error;
    throw storageFailed(path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** What is to be seen of an incarnation; undefined if its file is gone. */
export function readIncarnation(path: string): SeenIncarnation | undefined {
  let file: number;
  try {
    // Opened anew each time: so a network file system asks its server, and does not answer from memory.
    file = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw storageFailed(path, error);
  }
  try {
    const { mtimeMs } = fstatSync(file);
    const [first, second] = readFileSync(file, "utf8").split("\n");
    return {
      holder: parsed(holderSchema, first),
      isReleased: parsed(releaseSchema, second) !== undefined,
      heartbeatMs: mtimeMs,
    };
  } catch (error) {
    throw storageFailed(path, error);
  } finally {
    closeSync(file);
  }
}

/** @param file descriptor of an incarnation that is one's own */
export function writeRelease(file: number, releasedAt: string): void {
  writeSync(file, `${JSON.stringify({ releasedAt })}\n`);
}

export function inWords({ process: { pid, host }, since }: Holder): string {
  return `the coordinator with process id ${pid} on ${host}, since ${since}`;
}

function writeNew(path: string, holder: Holder): number {
  const file = openSync(path, "wx");
  try {
    writeSync(file, `${JSON.stringify(holder)}\n`);
    fsyncSync(file);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** What a file system says that has no hard links. */
const NO_LINKS: readonly unknown[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * The descriptor of the file that has the name then, if it is this holder's; link(2) gives a name to a whole
 * file, and to one only, also over NFS.
 */
function takeName(
  written: number,
  temporary: string,
  path: string,
  holder: Holder,
): number | undefined {
  try {
    linkSync(temporary, path);
    return written;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A reply that got lost is asked for again, and then finds the name that was made.
    if (code === "EEXIST") {
      return readIncarnation(path)?.holder?.id === holder.id ? written : undefined;
    }
    // Somebody who claimed the run before us has swept the folder.
    if (code === "ENOENT") return undefined;
    if (NO_LINKS.includes(code)) return writeUnderName(path, holder);
    throw error;
  }
}

/** As exclusive, but not as whole: until it is written, others see a holder that has not said who it is. */
function writeUnderName(path: string, holder: Holder): number | undefined {
  try {
    return writeNew(path, holder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  }
}

function parsed<T>(schema: z.ZodType<T>, line: string | undefined): T | undefined {
  try {
    return schema.parse(JSON.parse(line ?? ""));
  } catch {
    return undefined;
  }
}
