import type { Resources } from "../../history/index.js";
import type { Facts, Life } from "../facts.js";

/**
 * Beyond what a process held early in its life, with as many workers: a connection or a file in passing, and threads
 * that Node starts when it first needs them.
 */
const SPARE = { threads: 2, sockets: 2, files: 4, bytes: 64 << 20 } as const;

/**
 * At the run's end everybody holds what he held early: the coordinator in its last life, and each worker's process that
 * was there for long enough to be read twice.
 */
export function resources({ lives, events }: Pick<Facts, "lives" | "events">): readonly string[] {
  return [...lives.slice(-1).flatMap(ofCoordinator), ...ofWorkers(events)];
}

function ofCoordinator(life: Life): readonly string[] {
  const base = readingOf(life, "base");
  const end = readingOf(life, "end");
  if (base === undefined || end === undefined) {
    return [`nobody read them ${base === undefined ? "early" : "late"} in the last life`];
  }
  return grown("the coordinator", base, end);
}

function readingOf(life: Life, when: "base" | "end"): Resources | undefined {
  const found = life.events.findLast((event) => event.kind === "reading" && event.when === when);
  return found?.kind === "reading" ? found.resources : undefined;
}

function ofWorkers(events: Facts["events"]): readonly string[] {
  const readings = events.flatMap((event) => (event.kind === "workerReading" ? [event] : []));
  const pairs = readings.flatMap((base) => {
    const end = readings.find(({ when, pid }) => when === "end" && pid === base.pid);
    return base.when === "end" || end === undefined ? [] : [{ base, end }];
  });
  if (pairs.length === 0) return ["of no worker they were read early and late"];
  return pairs.flatMap(({ base, end }) =>
    grown(`worker ${base.slot}, process ${base.pid},`, base.resources, end.resources),
  );
}

function grown(who: string, base: Resources, end: Resources): readonly string[] {
  const kinds = [
    ["threads", base.numThreads, end.numThreads, SPARE.threads],
    ["sockets", base.numSockets, end.numSockets, SPARE.sockets],
    ["open files", base.numFiles, end.numFiles, SPARE.files],
    ["resident bytes", base.residentBytes, end.residentBytes, SPARE.bytes],
  ] as const;
  return kinds
    .filter(([, before, after, spare]) => after > before + spare)
    .map(([what, before, after]) => `${who} has ${after} ${what} at the end, and had ${before}`);
}
