/** Cores and memory, as this process may use them: of the machine, or of the container that it is in. */

import { join } from "node:path";

export interface Machine {
  readonly processor: string;
  /** That the operating system lets this process run on. */
  readonly cores: number;
  /** Cores' worth of time that the container may take; null: no limit. */
  readonly coreLimit: number | null;
  readonly memoryBytes: number;
  /** Of the container; null: no limit. */
  readonly memoryLimitBytes: number | null;
  readonly freeMemoryBytes: number;
}

/** What this machine says of itself: of node:os, node:process and the control groups' files. */
export interface MachineSource {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** As `process.constrainedMemory()`: 0 or more than there is where nothing constrains it. */
  readonly constrainedMemoryBytes: number;
  /** The text of a file, undefined if there is none. */
  readonly readText: (path: string) => string | undefined;
}

export function describeMachine(source: MachineSource): Machine {
  const { constrainedMemoryBytes: limit, memoryBytes } = source;
  return {
    processor: source.processor.replace(/\s+/g, " ").trim(),
    cores: source.cores,
    coreLimit: coreLimitOf(source.readText),
    memoryBytes,
    memoryLimitBytes: limit > 0 && limit < memoryBytes ? limit : null,
    freeMemoryBytes: source.freeMemoryBytes,
  };
}

const ROOT = "/sys/fs/cgroup";

/** The tightest limit of our control group and of those around it (Linux, cgroup v2 and v1). */
function coreLimitOf(readText: MachineSource["readText"]): number | null {
  const lines = (readText("/proc/self/cgroup") ?? "").split("\n").filter(Boolean);
  const limits = lines.flatMap((line) => {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === "") {
      return upwards(path).map((at) => quota(...words(readText(join(ROOT, at, "cpu.max")))));
    }
    if (!controllers.split(",").includes("cpu")) return [];
    const read = (at: string, name: string): string | undefined =>
      words(readText(join(ROOT, "cpu", at, name)))[0];
    return upwards(path).map((at) =>
      quota(read(at, "cpu.cfs_quota_us"), read(at, "cpu.cfs_period_us")),
    );
  });
  const least = Math.min(...limits);
  return least < Infinity ? least : null;
}

/** `/a/b` → `/a/b`, `/a`, `/`. */
function upwards(path: string): readonly string[] {
  const parts = path.split("/").filter(Boolean);
  return Array.from({ length: parts.length + 1 }, (_, above) =>
    join("/", ...parts.slice(0, parts.length - above)),
  );
}

const words = (text: string | undefined): readonly string[] =>
  (text ?? "").trim().split(/\s+/).filter(Boolean);

/** Microseconds of processor time in each period; `max` or -1 is no limit. */
function quota(time?: string, period?: string): number {
  const cores = Number(time) / Number(period);
  return cores > 0 ? cores : Infinity;
}
