import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Resources } from "../history/index.js";

/**
 * What a living process of this machine holds (Linux's /proc).
 *
 * @throws Error if there is none of this number
 */
export function readResources(pid: number): Resources {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1];
    // Of one that has ended there is a name, and nothing that it holds.
    if (found === undefined) throw new Error(`process ${pid} has ended`);
    return Number(found);
  };
  const files = readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
  const sockets = files.filter((target) => target.startsWith("socket:"));
  return {
    numThreads: field("Threads"),
    numFiles: files.length,
    numSockets: sockets.length,
    listensAt: listenersOf(pid, sockets),
    residentBytes: field("VmRSS") * 1024,
    peakResidentBytes: field("VmHWM") * 1024,
  };
}

const LISTENING = "0A";

/** @param sockets as the links in /proc name them: `socket:[INODE]` */
function listenersOf(pid: number, sockets: readonly string[]): readonly string[] {
  const own = new Set(sockets);
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTENING && own.has(`socket:[${fields[9]}]`))
      .map((fields) => formatListener(fields[1] ?? "")),
  );
}

/** The kernel's `0100007F:1F90` is 127.0.0.1:8080: words of four bytes, each with its lowest byte first. */
function formatListener(local: string): string {
  const [hex = "", port = ""] = local.split(":");
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => [...Buffer.from(word, "hex")].reverse());
  const isV4 = bytes.length === 4;
  const address = isV4 ? bytes.join(".") : `[${groupsOf(bytes).join(":")}]`;
  return `${address}:${parseInt(port, 16)}`;
}

function groupsOf(bytes: readonly number[]): readonly string[] {
  return Array.from({ length: bytes.length / 2 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
}
