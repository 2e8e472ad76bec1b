/** What the run does, and what a step that does not move waits for, in one sentence. */

import type { StatusReply, WorkerStatus } from "@ostinato/proto";
import type { LeaseRecord } from "../leases/index.js";
import { contiguousRuns, SILENT_DEADLINES } from "../leases/index.js";

export interface StatusSources {
  readonly jobId: string;
  readonly incarnation: number;
  readonly state: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly loss: number;
  readonly runDirectory: string;
  readonly metricsAddress: string;
  readonly deadlineMs: number;
  readonly workers: readonly {
    readonly workerId: string;
    readonly name: string;
    readonly state: string;
    /** Since when it has not said a word, while it has a lease to end. */
    readonly link?: { readonly busyAndSilentSinceMs: number | undefined } | undefined;
  }[];
  /** The round being collected, if any. */
  readonly round:
    | {
        readonly kind: "train" | "evaluate";
        readonly step: number;
        readonly leases: {
          active(): readonly LeaseRecord[];
          unfinished(lease: LeaseRecord): readonly number[];
          freeLeaves(): readonly number[];
        };
      }
    | undefined;
}

/** Nothing is worth a sentence before this part of the deadline has gone by. */
const WORTH_SAYING = 0.1;

export function buildStatus(sources: StatusSources, nowMs: number): StatusReply {
  const leases = sources.round?.leases.active() ?? [];
  const workers = sources.workers.map((worker): WorkerStatus => {
    const lease = leases.find(({ workerId }) => workerId === worker.workerId);
    const { workerId, name, state } = worker;
    return {
      workerId,
      name,
      state,
      leaves: (lease && sources.round?.leases.unfinished(lease)) ?? [],
      phase: lease?.phase ?? "",
      sinceProgressMs: lease === undefined ? 0 : Math.round(nowMs - lease.lastProgressMs),
    };
  });
  const { jobId, incarnation, state, step, totalSteps, epoch, loss } = sources;
  const { runDirectory, metricsAddress, deadlineMs } = sources;
  return {
    jobId,
    incarnation,
    state,
    step,
    totalSteps,
    epoch,
    loss,
    workers,
    waitingFor: describeWait(sources, nowMs),
    runDirectory,
    metricsAddress,
    deadlineMs,
  };
}

/** Leaves as runs: 0–5, 9. There may be a thousand of them, and the sentence is to be read. */
const shown = (leaves: readonly number[]): string =>
  contiguousRuns(leaves)
    .map(({ first, count }) => (count === 1 ? `${first}` : `${first}–${first + count - 1}`))
    .join(", ");

/** Empty while the step moves. */
export function describeWait(sources: StatusSources, nowMs: number): string {
  const { round, deadlineMs } = sources;
  if (round === undefined) return "";
  const what =
    round.kind === "train" ? `step ${round.step}` : `the evaluation at step ${round.step}`;
  const active = sources.workers.filter(({ state }) => state === "active");
  if (active.length === 0) {
    return `${what} waits for a worker: none is here; it goes on as soon as one joins`;
  }
  const stalled = [...round.leases.active()].sort((a, b) => a.lastProgressMs - b.lastProgressMs)[0];
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  if (stalled === undefined) {
    const free = round.leases.freeLeaves();
    if (free.length === 0) return "";
    const silent = active
      .map(({ workerId, name, link }) => ({
        workerId,
        name,
        silentMs: nowMs - (link?.busyAndSilentSinceMs ?? nowMs),
      }))
      .sort((a, b) => b.silentMs - a.silentMs)[0];
    const waits = `${what} waits for a worker to become idle: leaves ${shown(free)} are free`;
    return silent === undefined || silent.silentMs < deadlineMs * WORTH_SAYING
      ? waits
      : `${waits}; ${silent.workerId} (${silent.name}) has said nothing for ` +
          `${seconds(silent.silentMs)} s and is cut off after ${seconds(SILENT_DEADLINES * deadlineMs)} s`;
  }
  const sinceMs = nowMs - stalled.lastProgressMs;
  if (sinceMs < deadlineMs * WORTH_SAYING) return "";
  const name = sources.workers.find(({ workerId }) => workerId === stalled.workerId)?.name ?? "?";
  const leaves = shown(round.leases.unfinished(stalled));
  return (
    `${what} waits on ${stalled.workerId} (${name}), leaves ${leaves}, phase ${stalled.phase}: ` +
    `nothing moved for ${seconds(sinceMs)} s; they are leased again in ` +
    `${seconds(Math.max(0, deadlineMs - sinceMs))} s`
  );
}
