/** One coordinator a run directory: also after a crash, across machines, and when an old one wakes up. */

import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, futimesSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { deriveTimeouts } from "@ostinato/runtime/timeouts";

import { RunError, storageFailed } from "../errors/index.js";
import type { Claimant } from "./claimant.js";
import {
  createIncarnation,
  incarnationPath,
  inWords,
  newestIncarnation,
  readIncarnation,
  writeRelease,
} from "./incarnation-file.js";
import { requireGone } from "./require-gone.js";

/** An incarnation of a run that this process holds. */
export interface RunClaim {
  /** From 1; higher than any before. */
  readonly incarnation: number;
  /**
   * Makes sure that no other incarnation has begun, as happens to a process that slept too long. Two calls of
   * the file system: cheap enough for every ledger line.
   *
   * @throws RunError 'incarnationLost', 'storageFailed' if it cannot be told
   */
  requireHeld(): void;
  /** Calls `listener` once when a heartbeat finds that the claim is lost. */
  onLost(listener: (error: RunError) => void): void;
  /** Gives the claim up, so that a next one need not wait. A second call does nothing. */
  release(): void;
}

/**
 * Claims a run for one coordinator: makes the file of the incarnation that follows the newest, which only one
 * process can. The newest one's holder must have released it, be gone for certain (a process of this machine
 * and container that ended), or have shown no heartbeat while this process watched; no clock is compared with
 * another one to decide that. Whoever is superseded finds out before it writes, as it looks for a next file.
 *
 * @param folder of the incarnations, in an existing run directory; made if it is not there
 * @throws RunError 'runDirectoryInUse' naming the holder, 'notARun' without a run directory, 'storageFailed';
 *   the signal's reason
 */
export async function claimRun(folder: string, claimant: Claimant): Promise<RunClaim> {
  makeFolder(folder);
  for (;;) {
    const newest = newestIncarnation(folder);
    if (newest > 0) await requireGone(incarnationPath(folder, newest), claimant);
    const { processes, clock, deadlineMs } = claimant;
    const incarnation = newest + 1;
    const path = incarnationPath(folder, incarnation);
    const file = createIncarnation(path, {
      format: 1,
      incarnation,
      id: randomUUID(),
      process: processes.self,
      since: clock.wallTime().toISOString(),
      deadlineMs,
    });
    // Else another one was faster: it is to be waited for, or refuses us.
    if (file !== undefined) return new HeldClaim(folder, incarnation, file, claimant);
  }
}

class HeldClaim implements RunClaim {
  readonly incarnation: number;
  readonly #folder: string;
  readonly #path: string;
  readonly #nextPath: string;
  readonly #file: number;
  readonly #identity: { readonly ino: bigint; readonly dev: bigint };
  readonly #claimant: Claimant;
  readonly #listeners: ((error: RunError) => void)[] = [];
  #timer: { cancel(): void } | undefined;
  /** Found by a heartbeat, perhaps before anybody listened. */
  #loss: RunError | undefined;
  #isReleased = false;

  constructor(folder: string, incarnation: number, file: number, claimant: Claimant) {
    this.incarnation = incarnation;
    this.#folder = folder;
    this.#path = incarnationPath(folder, incarnation);
    this.#nextPath = incarnationPath(folder, incarnation + 1);
    this.#file = file;
    this.#identity = fstatSync(file, { bigint: true });
    this.#claimant = claimant;
    this.#beat();
  }

  requireHeld(): void {
    if (this.#isReleased) throw this.#lost("was released");
    if (statOf(this.#nextPath) !== undefined) throw this.#lost(this.#successor());
    const found = statOf(this.#path);
    const { ino, dev } = this.#identity;
    if (found?.ino !== ino || found.dev !== dev) throw this.#lost("was removed");
  }

  onLost(listener: (error: RunError) => void): void {
    if (this.#loss === undefined) this.#listeners.push(listener);
    else listener(this.#loss);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#timer?.cancel();
    try {
      // Where it cannot be written, a next coordinator finds this process gone, or no heartbeat.
      writeRelease(this.#file, this.#claimant.clock.wallTime().toISOString());
    } catch {
      return;
    } finally {
      closeSync(this.#file);
    }
  }

  #beat(): void {
    const { clock, deadlineMs } = this.#claimant;
    const now = clock.wallTime();
    try {
      // By descriptor: whatever has the name by now, it is this claim that lives.
      futimesSync(this.#file, now, now);
    } catch {
      // Whoever misses it may begin the next incarnation, and `requireHeld` tells of that.
    }
    try {
      this.requireHeld();
    } catch (error) {
      if (error instanceof RunError && error.code === "incarnationLost") {
        this.#loss = error;
        for (const listener of this.#listeners.splice(0)) listener(error);
        return;
      }
      // That the disk fails is told where something is to be written to it.
    }
    this.#timer = clock.setTimer(deriveTimeouts(deadlineMs).claimHeartbeatMs, () => {
      this.#beat();
    });
  }

  #successor(): string {
    const next = newestIncarnation(this.#folder);
    const holder = readIncarnation(incarnationPath(this.#folder, next))?.holder;
    const whose = holder === undefined ? "another coordinator" : inWords(holder);
    return `was superseded by incarnation ${next}, ${whose}`;
  }

  #lost(what: string): RunError {
    const run = dirname(this.#folder);
    const text = `${run}: incarnation ${this.incarnation} ${what}; this coordinator stops`;
    return new RunError("incarnationLost", text);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code === "ENOENT" || code === "ENOTDIR") {
      const run = dirname(folder);
      throw new RunError("notARun", `${run}: there is no such folder`, { cause: error });
    }
    throw storageFailed(folder, error);
  }
}

function statOf(path: string): { readonly ino: bigint; readonly dev: bigint } | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false, bigint: true });
  } catch (error) {
    throw storageFailed(path, error);
  }
}
