import type { Resources } from "../../history/index.js";
import type { Facts, Life } from "../facts.js";

/**
 * Beyond what it held early in its life, with as many workers: a connection or a file in passing, and threads that Node
 * starts when it first needs them.
 */
const SPARE = { threads: 2, sockets: 2, files: 4, bytes: 96 << 20 } as const;

/** At the run's end the coordinator holds what it held early in its last life: threads, sockets, files, memory. */
export function resources({ lives }: Facts): readonly string[] {
  return lives.slice(-1).flatMap((life) => {
    const base = readingOf(life, "base");
    const end = readingOf(life, "end");
    if (base === undefined || end === undefined) {
      return [`nobody read them ${base === undefined ? "early" : "late"} in the last life`];
    }
    return [
      ...grown("threads", base.numThreads, end.numThreads, SPARE.threads),
      ...grown("sockets", base.numSockets, end.numSockets, SPARE.sockets),
      ...grown("open files", base.numFiles, end.numFiles, SPARE.files),
      ...grown("resident bytes", base.residentBytes, end.residentBytes, SPARE.bytes),
    ];
  });
}

function readingOf(life: Life, when: "base" | "end"): Resources | undefined {
  const found = life.events.findLast((event) => event.kind === "reading" && event.when === when);
  return found?.kind === "reading" ? found.resources : undefined;
}

function grown(what: string, before: number, after: number, spare: number): readonly string[] {
  if (after <= before + spare) return [];
  return [`the coordinator has ${after} ${what} at the end, and had ${before}`];
}
