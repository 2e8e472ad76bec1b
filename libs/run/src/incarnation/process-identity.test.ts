import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/temporary-folder.js";
import { procProcesses } from "./process-identity.js";
import type { Processes, ProcessIdentity } from "./process-identity.js";

/** A /proc as another machine, container or user would see it. */
const proc = temporaryFolder();

interface Machine {
  readonly bootId?: string;
  readonly namespace?: string;
}

function writeMachine({ bootId = "b-1", namespace = "pid:[1]" }: Machine = {}): void {
  mkdirSync(join(proc.path, "sys/kernel/random"), { recursive: true });
  writeFileSync(join(proc.path, "sys/kernel/random/boot_id"), `${bootId}\n`);
  mkdirSync(join(proc.path, "self/ns"), { recursive: true });
  symlinkSync(namespace, join(proc.path, "self/ns/pid"));
}

function writeStat(of: string, state: string, startTicks: number): void {
  mkdirSync(join(proc.path, of), { recursive: true });
  const rest = Array.from({ length: 30 }, (_, i) => (i === 18 ? startTicks : i));
  // A name may hold brackets and blanks.
  writeFileSync(join(proc.path, of, "stat"), `7 (node) (a b) ${state} ${rest.join(" ")}\n`);
}

const alive = new Set<number>();
const processes = (pid = 1, host = "here"): Processes =>
  procProcesses({
    process: {
      pid,
      kill: (other) => {
        if (!alive.has(other)) throw Object.assign(new Error("none"), { code: "ESRCH" });
      },
    },
    host,
    procFolder: proc.path,
  });
const other = (startTicks: number): ProcessIdentity => ({
  ...{ pid: 7, host: "here", bootId: "b-1", pidNamespace: "pid:[1]", startTicks },
});

beforeEach(() => {
  alive.clear();
});

describe("a process", () => {
  it("is identified by machine, container, id and start", () => {
    writeMachine();
    writeStat("self", "R", 123);
    expect(processes(9).self).toEqual({
      ...{ pid: 9, host: "here", bootId: "b-1", pidNamespace: "pid:[1]", startTicks: 123 },
    });
  });

  it("is gone when it has no entry, or ended, or when its id is another one's by now", () => {
    writeMachine();
    expect(processes().isGone(other(50))).toBe(true);
    alive.add(7);
    writeStat("7", "S", 50);
    expect(processes().isGone(other(50))).toBe(false);
    expect(processes().isGone(other(49))).toBe(true);
    writeStat("7", "T", 50); // stopped by a signal
    expect(processes().isGone(other(50))).toBe(false);
    writeStat("7", "Z", 50);
    expect(processes().isGone(other(50))).toBe(true);
  });

  it("is not gone as far as one can tell when it is hidden", () => {
    writeMachine();
    alive.add(7);
    expect(processes().isGone(other(50))).toBe(false);
  });

  it.each([
    ["after a boot", { bootId: "b-2" }, {}],
    ["from another container", { namespace: "pid:[2]" }, {}],
    ["of a machine of another name", {}, { host: "there" }],
    ["that did not know its machine", {}, { bootId: null }],
    ["that did not know its container", {}, { pidNamespace: null }],
  ])("is not gone as far as one can tell %s", (_, machine, changed) => {
    writeMachine(machine);
    expect(processes().isGone({ ...other(50), ...changed })).toBe(false);
  });

  it("is never gone where there is no /proc", () => {
    expect(processes().self).toMatchObject({ bootId: null, pidNamespace: null, startTicks: null });
    expect(processes().isGone({ ...other(50), bootId: null, pidNamespace: null })).toBe(false);
  });
});

describe.runIf(process.platform === "linux")("a process of this machine", () => {
  const here = procProcesses({ process, host: hostname() });

  async function identityOf(child: ChildProcess): Promise<ProcessIdentity> {
    const { pid } = child;
    if (pid === undefined || child.stdout === null) throw new Error("not started");
    await once(child.stdout, "data");
    const { readFileSync } = await import("node:fs");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return { ...here.self, pid, startTicks: Number(stat.split(") ")[1]?.split(" ")[19]) };
  }

  it("is there while it lives or is stopped, and gone when it was killed", async () => {
    expect(here.isGone(here.self)).toBe(false);
    const program = "process.stdout.write('up'); setInterval(() => {}, 1000)";
    const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const identity = await identityOf(child);
      expect(here.isGone(identity)).toBe(false);
      child.kill("SIGSTOP");
      expect(here.isGone(identity)).toBe(false);
      expect(here.isGone({ ...identity, startTicks: (identity.startTicks ?? 0) - 1 })).toBe(true);
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(here.isGone(identity)).toBe(true);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
