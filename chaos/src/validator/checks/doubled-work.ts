import type { Facts, Life } from "../facts.js";
import { lastPageOf } from "../metrics-page.js";
import { IN_FLIGHT_MS, struckWorkers, trainLeaseOf } from "../seen-events.js";
import type { SeenLease } from "../seen-events.js";

/** Reasons of revocations that come because another one has the leaves too, and not the other way round. */
const OVERTAKEN: ReadonlySet<string> = new Set(["another worker was first", "the round is over"]);

/**
 * What somebody computes goes to another only when that lease is gone, or late. When one is late the coordinator knows
 * better than whoever sees its messages pass: it counts those leases, and there are no others.
 */
export function doubledWork({ lives, events }: Pick<Facts, "lives" | "events">): readonly string[] {
  const struck = struckWorkers(events);
  return lives.slice(-1).flatMap((life) => {
    const read = lastPageOf(life);
    // The check of metrics says that nobody read them.
    if (read === undefined) return [];
    const doubled = doubledLeases(read.eventsBefore, struck);
    const numLate = read.page.value("second_leases_total");
    const [first] = doubled;
    if (first === undefined || doubled.length <= numLate) return [];
    return [
      `${doubled.length} leases have leaves that others were computing, the first of them fence ` +
        `${first.fence} in step ${first.step}; the metrics say that ${numLate} were for late ones`,
    ];
  });
}

/** Leases of leaves, none of whose results had passed, that an older lease of another worker has. */
function doubledLeases(events: Life["events"], struck: ReadonlySet<string>): readonly SeenLease[] {
  const leases = events.flatMap((event) => trainLeaseOf(event) ?? []);
  const goneAtMs = leaseEndings(events);
  const passedAtMs = firstResults(events);
  return leases.filter((lease) =>
    leases.some((other) => {
      if (other.step !== lease.step || other.fence >= lease.fence) return false;
      // One to whom something was done may be gone without a word.
      if (other.workerId === lease.workerId || struck.has(other.workerId)) return false;
      if (goneAtMs(other) <= lease.atMs + IN_FLIGHT_MS) return false;
      return other.leaves.some(
        (leaf) =>
          lease.leaves.includes(leaf) &&
          (passedAtMs.get(`${lease.step} ${leaf}`) ?? Infinity) > lease.atMs,
      );
    }),
  );
}

/** By lease: when it was taken away or given up, Infinity if it was not. */
function leaseEndings(events: Life["events"]): (lease: SeenLease) => number {
  const ofWorker = new Map<string, number>();
  const ofFence = new Map<number, number>();
  const first = <Key>(map: Map<Key, number>, key: Key, atMs: number): void => {
    map.set(key, Math.min(atMs, map.get(key) ?? Infinity));
  };
  for (const event of events) {
    const { atMs } = event;
    if (event.kind === "streamClosed") first(ofWorker, event.workerId, atMs);
    if (event.kind !== "message") continue;
    const { kind, fence = 0, reason = "", error = "" } = event.message;
    if (kind === "returnLeases" || kind === "stop") first(ofWorker, event.workerId, atMs);
    if (kind === "revoke" && !OVERTAKEN.has(reason)) first(ofFence, fence, atMs);
    if (kind === "leaseEnded" && error !== "") first(ofFence, fence, atMs);
  }
  return ({ workerId, fence }) =>
    Math.min(ofWorker.get(workerId) ?? Infinity, ofFence.get(fence) ?? Infinity);
}

/** By step and leaf: when the end of the first upload with it passed. */
function firstResults(events: Life["events"]): ReadonlyMap<string, number> {
  const steps = new Map<string, number>();
  const passed = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== "message") continue;
    const { kind, node, step = 0, leaves = [] } = event.message;
    if (kind === "uploadBegin" && node !== undefined) {
      steps.set(`${event.workerId} ${node.firstLeaf}`, step);
    }
    if (kind !== "uploadEnd") continue;
    const of = steps.get(`${event.workerId} ${leaves[0] ?? 0}`) ?? 0;
    for (const leaf of leaves) {
      const key = `${of} ${leaf}`;
      passed.set(key, Math.min(event.atMs, passed.get(key) ?? Infinity));
    }
  }
  return passed;
}
