import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Resources } from "../history/index.js";

/** What a living process of this machine holds (Linux's /proc). */
export function readResources(pid: number): Resources {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  const files = readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
  return {
    numThreads: field("Threads"),
    numFiles: files.length,
    numSockets: files.filter((target) => target.startsWith("socket:")).length,
    residentBytes: field("VmRSS") * 1024,
    peakResidentBytes: field("VmHWM") * 1024,
  };
}
