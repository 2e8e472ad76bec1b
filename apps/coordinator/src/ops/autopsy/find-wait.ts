/**
 * What the run waits for, of everything it can wait for. Pure: a question is asked of what is, and of now.
 *
 * Only what a time-out or somebody's act will change is said of the future, and with its time.
 */

import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import { ofLeases } from "./lease-waits.js";
import type { AutopsySources, Wait } from "./wait.js";
import { duration, leavesInWords, megabytes, subjectOf, workerInWords } from "./words.js";

/** Undefined while the run moves as it should. */
export function findWait(sources: AutopsySources, nowMs: number): Wait | undefined {
  return ofOwnWork(sources, nowMs) ?? ofWorkers(sources, nowMs) ?? ofLeases(sources, nowMs);
}

/** The coordinator keeps the run waiting itself: its threads compute, or its storage is slow. */
function ofOwnWork({ ownWork, deadlineMs }: AutopsySources, nowMs: number): Wait | undefined {
  if (ownWork === undefined) return undefined;
  const { subject, what, kind, sinceMs } = ownWork;
  if (nowMs - sinceMs < deriveTimeouts(deadlineMs).stallMs) return undefined;
  const next = {
    arithmetic: "it goes on when that is done, and the run ends with a message if the thread dies",
    storage: "it goes on when the storage answers, which no time-out cuts short",
  }[kind];
  const on = kind === "arithmetic" ? "the coordinator's own arithmetic" : "storage";
  return {
    subject,
    cause: `own work: ${what}`,
    sinceMs,
    text: `${subject} waits for ${on}: ${what}, for ${duration(nowMs - sinceMs)}; ${next}`,
    isStall: true,
  };
}

/** Nobody is here, or too few are for a step to begin. */
function ofWorkers(sources: AutopsySources, nowMs: number): Wait | undefined {
  const { collecting, presence } = sources;
  if (collecting === undefined) return undefined;
  const { minWorkers, noneSinceMs, tooFewSinceMs } = presence;
  const subject = subjectOf(collecting);
  const hasBegun = collecting.begunAtMs !== undefined;
  if (noneSinceMs !== undefined && (minWorkers === 1 || hasBegun)) {
    const sinceMs = Math.max(noneSinceMs, collecting.sinceMs);
    const free = collecting.leases.freeLeaves();
    const next = hasBegun
      ? `its unfinished ${leavesInWords(free)} will be leased as soon as one joins`
      : "it begins as soon as one joins";
    return {
      subject,
      cause: "no worker",
      sinceMs,
      text:
        `${subject} waits for a worker: none has been here for ${duration(nowMs - sinceMs)}; ` +
        (gettingReady(sources, nowMs) ?? next),
      isStall: true,
    };
  }
  if (tooFewSinceMs === undefined || hasBegun) return undefined;
  const sinceMs = Math.max(tooFewSinceMs, collecting.sinceMs);
  const numActive = sources.workers.filter(({ state }) => state === "active").length;
  const here = numActive === 0 ? "none is" : numActive === 1 ? "1 is" : `${numActive} are`;
  const missing = minWorkers - numActive;
  const next = `it begins as soon as ${missing} more ${missing === 1 ? "joins" : "join"}`;
  return {
    subject,
    cause: "too few workers",
    sinceMs,
    text:
      `${subject} waits for workers: ${here} here, cluster.minWorkers is ${minWorkers}, for ` +
      `${duration(nowMs - sinceMs)}; ${gettingReady(sources, nowMs) ?? next}`,
    isStall: true,
  };
}

/** Of those that joined and have no stream yet, the one that has been at it for longest. */
function gettingReady(sources: AutopsySources, nowMs: number): string | undefined {
  const [worker, ...others] = sources.workers
    .filter(({ state }) => state === "joined")
    .sort((a, b) => a.joinedAtMs - b.joinedAtMs);
  if (worker === undefined) return undefined;
  const { joinedMs } = deriveTimeouts(sources.deadlineMs);
  const sinceMs = nowMs - worker.joinedAtMs;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return (
    `${workerInWords(worker)}${more} joined ${duration(sinceMs)} ago and loads data and model` +
    `${fetching(sources, nowMs)}; without a stream it is forgotten in ${duration(joinedMs - sinceMs)} ` +
    "and joins again"
  );
}

function fetching({ fetches }: AutopsySources, nowMs: number): string {
  const [slowest] = [...fetches].sort((a, b) => a.movedAtMs - b.movedAtMs);
  if (slowest === undefined) return "";
  const { bytesSent, totalBytes, movedAtMs } = slowest;
  return (
    ` (${megabytes(bytesSent)} of ${megabytes(totalBytes)} MiB of the data sent, the last of it ` +
    `${duration(nowMs - movedAtMs)} ago)`
  );
}
