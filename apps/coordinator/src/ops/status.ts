/** What the run does, and what a step that does not move waits for. */

import type { StatusReply, WorkerStatus } from "@ostinato/proto";
import type { AutopsySources, WatchedWorker } from "./autopsy/index.js";
import { findWait } from "./autopsy/index.js";

export interface StatusSources extends AutopsySources {
  readonly jobId: string;
  readonly incarnation: number;
  readonly state: string;
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly loss: number;
  readonly runDirectory: string;
  readonly metricsAddress: string;
  readonly numLeaves: number;
  /** NaN before there are two steps. */
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
  /** Undefined before the first checkpoint of this incarnation. */
  readonly checkpointAgeSeconds: number | undefined;
  /** Of a worker, in samples a second; NaN before its first lease is done. */
  readonly speedOf: (workerId: string) => number;
}

export function buildStatus(sources: StatusSources, nowMs: number): StatusReply {
  const { collecting, presence } = sources;
  const { jobId, incarnation, state, step, totalSteps, epoch, loss } = sources;
  const { runDirectory, metricsAddress, deadlineMs, samplesPerSecond, secondsLeft } = sources;
  const wait = findWait(sources, nowMs);
  return {
    jobId,
    incarnation,
    state,
    step,
    totalSteps,
    epoch,
    loss,
    workers: sources.workers.map((worker) => workerStatus(sources, worker, nowMs)),
    waitingFor: wait?.text ?? "",
    stalled: wait?.isStall ?? false,
    runDirectory,
    metricsAddress,
    deadlineMs,
    minWorkers: presence.minWorkers,
    samplesPerSecond,
    secondsLeft,
    numLeaves: collecting === undefined ? 0 : sources.numLeaves,
    leavesDone: collecting === undefined ? 0 : sources.numLeaves - unfinished(collecting),
    roundSeconds: (nowMs - (collecting?.begunAtMs ?? nowMs)) / 1000,
    checkpointAgeSeconds: sources.checkpointAgeSeconds ?? NaN,
  };
}

function workerStatus(
  { collecting, speedOf }: StatusSources,
  { workerId, name, state, joinedAtMs }: WatchedWorker,
  nowMs: number,
): WorkerStatus {
  const lease = collecting?.leases.active().find((active) => active.workerId === workerId);
  return {
    workerId,
    name,
    state,
    leaves: (lease && collecting?.leases.unfinished(lease)) ?? [],
    phase: lease?.phase ?? "",
    sinceProgressMs: lease === undefined ? 0 : Math.round(nowMs - lease.lastProgressMs),
    hereSeconds: (nowMs - joinedAtMs) / 1000,
    samplesPerSecond: speedOf(workerId),
  };
}

function unfinished({ leases }: NonNullable<AutopsySources["collecting"]>): number {
  const open = new Set(leases.freeLeaves());
  for (const lease of leases.active()) for (const leaf of leases.unfinished(lease)) open.add(leaf);
  return open.size;
}
