/** What a round waits for that workers are at: leases that stand still, leaves that nobody takes. */

import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import type { LeaseRecord } from "../../leases/index.js";
import type { AutopsySources, Collecting, Wait, WatchedWorker } from "./wait.js";
import { duration, leavesInWords, subjectOf, them, workerInWords } from "./words.js";

export function ofLeases(sources: AutopsySources, nowMs: number): Wait | undefined {
  const { collecting } = sources;
  if (collecting === undefined) return undefined;
  const { stallMs, leaseMs } = deriveTimeouts(sources.deadlineMs);
  const active = [...collecting.leases.active()].sort(
    (a, b) => a.lastProgressMs - b.lastProgressMs,
  );
  const [oldest] = active;
  if (oldest === undefined) return ofFreeLeaves(sources, collecting, nowMs);
  if (nowMs - oldest.lastProgressMs >= stallMs) {
    return ofStalledLease(sources, collecting, oldest, nowMs);
  }
  // Everything moves: worth saying only of a step that has outlasted what a lease may stand still.
  const begunAtMs = collecting.begunAtMs ?? nowMs;
  return nowMs - begunAtMs < leaseMs
    ? undefined
    : ofSlowLease(sources, { ...collecting, sinceMs: begunAtMs }, active, nowMs);
}

function ofStalledLease(
  sources: AutopsySources,
  collecting: Collecting,
  lease: LeaseRecord,
  nowMs: number,
): Wait {
  const subject = subjectOf(collecting);
  const worker = holderOf(sources, lease);
  const leaves = collecting.leases.unfinished(lease);
  const { lastProgressMs: sinceMs, phase } = lease;
  const { sign, againInMs, isAtMost } = signOfLife(sources, worker, lease, nowMs);
  const verb = leaves.length === 1 ? "is" : "are";
  return {
    subject,
    cause: `lease ${lease.fence}`,
    sinceMs,
    text:
      `${subject} waits on ${workerInWords(worker)}, ${leavesInWords(leaves)}, phase ` +
      `${phaseInWords(phase)}: nothing moved for ${duration(nowMs - sinceMs)}${sign}; ` +
      `${them(leaves) === "it" ? "it" : "they"} ${verb} leased again in ` +
      `${isAtMost ? "at most " : ""}${duration(againInMs)}` +
      secondHolder(sources, collecting, lease, leaves, nowMs),
    isStall: true,
  };
}

/** Whether the process is there though its lease stands still: the one says more than the other. */
function signOfLife(
  { deadlineMs }: AutopsySources,
  { link }: Pick<WatchedWorker, "link">,
  lease: LeaseRecord,
  nowMs: number,
): { readonly sign: string; readonly againInMs: number; readonly isAtMost: boolean } {
  const { heartbeatMs, keepaliveAnswerMs, keepaliveMs, leaseMs } = deriveTimeouts(deadlineMs);
  const againInMs = leaseMs - (nowMs - lease.lastProgressMs);
  if (link === undefined) return { sign: "", againInMs, isAtMost: false };
  const silentMs = nowMs - link.heardAtMs;
  // One heartbeat may be late.
  if (silentMs < 2 * heartbeatMs) {
    const sign = `, though its process answers: its computation stands still`;
    return { sign, againInMs, isAtMost: false };
  }
  const cutOffInMs = keepaliveMs + keepaliveAnswerMs - silentMs;
  return {
    sign:
      `, nor was anything heard of its process for ${duration(silentMs)} ` +
      "(frozen, its event loop blocked, or cut off)",
    againInMs: cutOffInMs > 0 ? Math.min(againInMs, cutOffInMs) : againInMs,
    isAtMost: cutOffInMs > 0 && cutOffInMs < againInMs,
  };
}

function secondHolder(
  sources: AutopsySources,
  { leases }: Collecting,
  lease: LeaseRecord,
  leaves: readonly number[],
  nowMs: number,
): string {
  const second = leases
    .active()
    .find(
      (other) => other.fence !== lease.fence && other.leaves.some((leaf) => leaves.includes(leaf)),
    );
  if (second === undefined) return "";
  const { workerId } = holderOf(sources, second);
  return `; ${workerId} has had ${them(leaves)} too, for ${duration(nowMs - second.grantedAtMs)}`;
}

function ofSlowLease(
  sources: AutopsySources,
  collecting: Collecting,
  active: readonly LeaseRecord[],
  nowMs: number,
): Wait | undefined {
  const [slowest] = [...active].sort((a, b) => a.grantedAtMs - b.grantedAtMs);
  if (slowest === undefined) return undefined;
  const subject = subjectOf(collecting);
  const leaves = collecting.leases.unfinished(slowest);
  return {
    subject,
    cause: `slow: ${slowest.fence}`,
    sinceMs: collecting.sinceMs,
    text:
      `${subject} has taken ${duration(nowMs - collecting.sinceMs)} and moves: ` +
      `${workerInWords(holderOf(sources, slowest))} has had ${leavesInWords(leaves)} for ` +
      `${duration(nowMs - slowest.grantedAtMs)}, phase ${phaseInWords(slowest.phase)}; nothing ends ` +
      "a lease that moves",
    isStall: false,
  };
}

/** Leaves are free, and nobody takes them: everybody is at something else, or may not. */
function ofFreeLeaves(
  sources: AutopsySources,
  collecting: Collecting,
  nowMs: number,
): Wait | undefined {
  const free = collecting.leases.freeLeaves();
  const sinceMs = collecting.leases.lastProgressMs ?? collecting.sinceMs;
  if (free.length === 0) return ofGate(collecting, nowMs);
  if (nowMs - sinceMs < deriveTimeouts(sources.deadlineMs).stallMs) return undefined;
  const subject = subjectOf(collecting);
  const [retry] = collecting.retries;
  const what =
    retry === undefined
      ? `for a worker to become idle, for ${duration(nowMs - sinceMs)}: ${leavesInWords(free)} ` +
        `${free.length === 1 ? "is" : "are"} free`
      : `for a worker that computes ${leavesInWords(leavesOf(retry.node))} once more, for ` +
        `${duration(nowMs - sinceMs)}: the result of ${retry.notBy} was not finite, and nobody ` +
        "else is idle";
  return {
    subject,
    cause: retry === undefined ? "nobody idle" : `retry of ${retry.node.firstLeaf}`,
    sinceMs,
    text: `${subject} waits ${what}; ${whoIsNext(sources, nowMs)}`,
    isStall: true,
  };
}

/** Every leaf is in, and not every result is believed. */
function ofGate(collecting: Collecting, nowMs: number): Wait | undefined {
  const { gate } = collecting;
  if (gate === undefined) return undefined;
  const { what, next, sinceMs } = gate;
  const subject = subjectOf(collecting);
  return {
    subject,
    cause: `gate: ${what}`,
    sinceMs,
    text: `${subject} waits for ${what}, for ${duration(nowMs - sinceMs)}; ${next}`,
    isStall: true,
  };
}

function whoIsNext({ deadlineMs, workers }: AutopsySources, nowMs: number): string {
  const { silentWorkerMs, stallMs } = deriveTimeouts(deadlineMs);
  const [silent] = workers
    .filter(({ state }) => state === "active")
    .flatMap((worker) => {
      const sinceMs = worker.link?.busyAndSilentSinceMs;
      return sinceMs === undefined ? [] : [{ worker, silentMs: nowMs - sinceMs }];
    })
    .sort((a, b) => b.silentMs - a.silentMs);
  if (silent === undefined || silent.silentMs < stallMs) {
    return "the next one that ends its lease, or joins, gets it";
  }
  return (
    `${workerInWords(silent.worker)}, whose lease is over, has said nothing for ` +
    `${duration(silent.silentMs)} and is cut off in ${duration(silentWorkerMs - silent.silentMs)}`
  );
}

function holderOf(sources: AutopsySources, { workerId }: LeaseRecord): WatchedWorker {
  const found = sources.workers.find((worker) => worker.workerId === workerId);
  return found ?? { workerId, name: "gone", state: "gone", joinedAtMs: 0 };
}

function leavesOf({ firstLeaf, numLeaves }: { firstLeaf: number; numLeaves: number }): number[] {
  return Array.from({ length: numLeaves }, (_, i) => firstLeaf + i);
}

/** Before its first word of a lease, the worker has not shown that it has it. */
function phaseInWords(phase: string): string {
  if (phase === "granted") return "granted (not answered yet)";
  return phase === "download" ? "download (parameters are on their way to it)" : phase;
}
