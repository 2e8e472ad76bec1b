/** Whether the holder of an incarnation is gone: by what it said, by its process, or by watching it. */

import { dirname } from "node:path";

import { deriveTimeouts } from "@ostinato/runtime/timeouts";

import { RunError } from "../errors/index.js";
import type { Claimant } from "./claimant.js";
import { inWords, readIncarnation } from "./incarnation-file.js";
import type { SeenIncarnation } from "./incarnation-file.js";

/** A refusal that comes sooner needs no word that it is waited for. */
const HEARTBEATS_UNTOLD = 2;

/**
 * Resolves when the holder is gone, at the latest after its deadline without a heartbeat.
 *
 * @param path of an incarnation's file
 * @throws RunError 'runDirectoryInUse' naming the holder that lives; the signal's reason
 */
export async function requireGone(path: string, claimant: Claimant): Promise<void> {
  const first = readIncarnation(path);
  if (first === undefined || isOver(first, claimant)) return;
  const deadlineMs = first.holder?.deadlineMs ?? claimant.deadlineMs;
  const { claimHeartbeatMs: pollMs, claimMs, claimConfirmMs } = deriveTimeouts(deadlineMs);
  // That its file looks long dead is no proof: the clocks of two machines may differ, one may have jumped.
  const ageMs = claimant.clock.wallTime().getTime() - first.heartbeatMs;
  const atLeastMs = ageMs > claimMs ? claimConfirmMs : claimMs;
  // Looks are counted, not time: a look after this process itself stood still sees what came meanwhile.
  const numLooks = Math.ceil(atLeastMs / pollMs);
  const run = dirname(dirname(path));
  const whose = first.holder === undefined ? "another coordinator" : inWords(first.holder);
  for (let look = 1; look <= numLooks; look++) {
    if (look === HEARTBEATS_UNTOLD + 1) {
      const seconds = (atLeastMs / 1000).toFixed(1);
      claimant.onWait?.(
        `${run}: ${whose} has the run and cannot be seen to have ended; it is taken over ` +
          `if ${seconds} s go by without a heartbeat`,
      );
    }
    await waitFor(pollMs, claimant);
    const seen = readIncarnation(path);
    if (seen === undefined || isOver(seen, claimant)) return;
    // Written down only now, or a heartbeat.
    const hasMoved = seen.heartbeatMs !== first.heartbeatMs || seen.holder?.id !== first.holder?.id;
    if (hasMoved) {
      const holder = seen.holder === undefined ? whose : inWords(seen.holder);
      throw new RunError("runDirectoryInUse", `${run}: in use by ${holder}`);
    }
  }
}

function isOver({ isReleased, holder }: SeenIncarnation, { processes }: Claimant): boolean {
  return isReleased || (holder !== undefined && processes.isGone(holder.process));
}

function waitFor(delayMs: number, { clock, signal }: Claimant): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
