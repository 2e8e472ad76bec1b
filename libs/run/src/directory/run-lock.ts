/** The lock of a run directory: one coordinator at a time, also after a crash and across machines. */

import {
  closeSync,
  fstatSync,
  futimesSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { basename, dirname, join } from "node:path";

import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import { z } from "zod";

import { RunError, storageFailed } from "../errors/index.js";
import { isProcessAlive } from "./process-alive.js";
import type { SignalSender } from "./process-alive.js";

/** The time a lock lives by; a Clock of libs/runtime is one. */
export interface LockClock {
  wallTime(): Date;
  setTimer(delayMs: number, fire: () => void): { cancel(): void };
}

/** Who claims a lock. */
export interface LockOwner {
  /** This process: its id, and what tells whether another one is there (signal 0). */
  readonly process: { readonly pid: number } & SignalSender;
  readonly host: string;
  readonly clock: LockClock;
  /** A heartbeat comes four times in this time; a lock without one for as long is given up. */
  readonly deadlineMs: number;
}

/** A lock that was claimed. */
export interface RunLock {
  /**
   * Makes sure that nobody has taken the lock over, as happens to a process that slept too long. Cheap
   * enough for every ledger line.
   *
   * @throws RunError 'lockLost'
   */
  requireHeld(): void;
  /** Gives the lock up, unless another one has it by now. A second call does nothing. */
  release(): void;
}

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  startedAt: z.string(),
  deadlineMs: z.number().positive(),
});

type Holder = z.output<typeof holderSchema>;

/**
 * Claims a run directory for one coordinator. The lock of another one is taken over only if that is surely
 * gone: a process of this host that is not there any more (or has our own process id, as in a container
 * that was started again), or one without a heartbeat for its deadline. Hosts that share a run directory
 * need clocks that agree to within the deadline.
 *
 * @param path of the lock file
 * @throws RunError 'runDirectoryInUse' naming the holder, 'notARun' without a folder, 'storageFailed'
 */
export function claimRunLock(path: string, owner: LockOwner): RunLock {
  const { process, host, clock, deadlineMs } = owner;
  const { lockHeartbeatMs } = deriveTimeouts(deadlineMs);
  const startedAt = clock.wallTime().toISOString();
  const content: Holder = { pid: process.pid, host, startedAt, deadlineMs };
  const file = createNew(path, content) ?? takeOver(path, content, owner);
  const identity = fstatSync(file);
  let timer: ReturnType<LockClock["setTimer"]> | undefined;
  const beat = (): void => {
    const now = clock.wallTime();
    try {
      // By descriptor: a lock that was taken over is another file, and its heartbeat not ours.
      futimesSync(file, now, now);
    } catch {
      // Whoever misses it may take the lock over, and `requireHeld` tells of that.
    }
    timer = clock.setTimer(lockHeartbeatMs, beat);
  };
  beat();
  const isHeld = (): boolean => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.ino === identity.ino && found.dev === identity.dev;
  };
  return {
    requireHeld: () => {
      if (isHeld()) return;
      const holder = readHolder(path);
      const whose = holder === undefined ? "was removed" : `is held by ${inWords(holder)} now`;
      throw new RunError("lockLost", `${path}: the lock ${whose}; this coordinator stops`);
    },
    release: () => {
      if (timer === undefined) return;
      timer.cancel();
      timer = undefined;
      if (isHeld()) rmSync(path);
      closeSync(file);
    },
  };
}

/** The descriptor of a new lock file; undefined if there is one already. */
function createNew(path: string, content: Holder): number | undefined {
  try {
    return writeNew(path, content);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new RunError("notARun", `${dirname(path)}: there is no such folder`, { cause: error });
    }
    throw storageFailed(path, error);
  }
}

/**
 * Puts a new lock in the place of one whose holder is gone. Of two who do so at once the later one has
 * it, and the other one finds out before it writes anything.
 */
function takeOver(path: string, content: Holder, owner: LockOwner): number {
  const found = statSync(path, { throwIfNoEntry: false });
  const holder = readHolder(path);
  if (found !== undefined && !isGone(holder, found, owner)) {
    const whose = holder === undefined ? "another coordinator" : inWords(holder);
    throw new RunError("runDirectoryInUse", `${dirname(path)}: in use by ${whose}`);
  }
  const temporary = join(dirname(path), `.${basename(path)}.${content.pid}.partial`);
  try {
    rmSync(temporary, { force: true });
    const file = writeNew(temporary, content);
    renameSync(temporary, path);
    return file;
  } catch (error) {
    throw storageFailed(path, error);
  }
}

function isGone(holder: Holder | undefined, found: Stats, owner: LockOwner): boolean {
  const silentMs = owner.clock.wallTime().getTime() - found.mtimeMs;
  const { lockMs } = deriveTimeouts(holder?.deadlineMs ?? owner.deadlineMs);
  if (silentMs > lockMs) return true;
  if (holder?.host !== owner.host) return false;
  return holder.pid === owner.process.pid || !isProcessAlive(holder.pid, owner.process);
}

/** Undefined if there is no lock, or one whose holder has not come to write itself down. */
function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function writeNew(path: string, content: Holder): number {
  const file = openSync(path, "wx");
  try {
    writeSync(file, `${JSON.stringify(content)}\n`);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function inWords({ pid, host, startedAt }: Holder): string {
  return `the coordinator with process id ${pid} on ${host}, since ${startedAt}`;
}
