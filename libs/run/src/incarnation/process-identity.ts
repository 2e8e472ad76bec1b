/** Which process one is, so well that another process can tell later whether it is gone. */

import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

/** What identifies a process. What its system does not tell is null: such a process is never shown to be gone. */
export const processIdentitySchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** Of this run of the kernel. */
  bootId: z.string().nullable(),
  /** Process ids of two containers are not comparable. */
  pidNamespace: z.string().nullable(),
  /** Clock ticks from boot to the start of the process: tells it from a later one with its id. */
  startTicks: z.int().nullable(),
});

export type ProcessIdentity = z.output<typeof processIdentitySchema>;

/** Signal 0, which tells whether there is a process. */
export interface SignalSender {
  kill(pid: number, signal: 0): unknown;
}

/** The processes that this one can see. */
export interface Processes {
  readonly self: ProcessIdentity;
  /** True only if it is certain; false for a process that lives, is frozen, or may be on another machine. */
  isGone(identity: ProcessIdentity): boolean;
}

export interface ProcProcessesOptions {
  readonly process: { readonly pid: number } & SignalSender;
  readonly host: string;
  /** Where Linux tells of processes; on other systems there is none. Default `/proc`. */
  readonly procFolder?: string;
}

/** The processes that proc(5) tells of. */
export function procProcesses({
  process,
  host,
  procFolder = "/proc",
}: ProcProcessesOptions): Processes {
  const at = (...names: string[]): string => join(procFolder, ...names);
  const self: ProcessIdentity = {
    pid: process.pid,
    host,
    bootId: orNull(() => readFileSync(at("sys/kernel/random/boot_id"), "utf8").trim()),
    pidNamespace: orNull(() => readlinkSync(at("self/ns/pid"))),
    startTicks: statOf(at("self/stat"))?.startTicks ?? null,
  };
  const isComparable = (other: ProcessIdentity): boolean =>
    self.bootId !== null &&
    self.pidNamespace !== null &&
    other.bootId === self.bootId &&
    other.pidNamespace === self.pidNamespace &&
    // Clones of one virtual machine have its boot id, each of them.
    other.host === self.host;
  return {
    self,
    isGone: (other) => {
      if (!isComparable(other)) return false;
      if (!isProcessAlive(other.pid, process)) return true;
      // Hidden where /proc shows a user his own alone: then it is there, and nobody knows since when.
      const found = statOf(at(String(other.pid), "stat"));
      if (found === undefined) return false;
      if (found.hasEnded) return true;
      // One that could not tell when it began is not shown to be another one.
      return other.startTicks !== null && found.startTicks !== other.startTicks;
    },
  };
}

/** Whether a process of this machine, or of this container, has the id. */
export function isProcessAlive(pid: number, sender: SignalSender): boolean {
  try {
    sender.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** State and start of /proc/PID/stat; its second field, a name in brackets, may hold anything. */
function statOf(
  path: string,
): { readonly hasEnded: boolean; readonly startTicks: number } | undefined {
  const text = orNull(() => readFileSync(path, "utf8"));
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields?.[0];
  const startTicks = Number(fields?.[19]);
  if (state === undefined || !Number.isSafeInteger(startTicks)) return undefined;
  // A zombie writes nothing any more, though its parent has not asked for its exit code.
  return { hasEnded: ["Z", "X", "x"].includes(state), startTicks };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
