/** Breaks the calls that write a run's files: a death around a ledger line, a disk that fails. */

import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentOrders, DiskFault, LedgerFault } from "./orders.js";

const SLOW_MS = 400;
const CHECKPOINT = /\/checkpoints\/\.?step-(\d+)/;
const ERRORS = {
  full: { code: "ENOSPC", errno: -28, text: "no space left on device" },
  readOnly: { code: "EROFS", errno: -30, text: "read-only file system" },
  failing: { code: "EIO", errno: -5, text: "i/o error" },
} as const;

export function troubleFiles(orders: AgentOrders): void {
  // Of before any change: the agent's own notes reach the disk.
  const { writeSync, openSync } = fs;
  const notes = openSync(orders.firings, "a");
  const fire = (faultId: number, text: string): void => {
    writeSync(notes, `${JSON.stringify({ faultId, text })}\n`);
  };
  troubleLedger(orders.ledger, fire);
  troubleCheckpoints(orders.disk, fire);
  syncBuiltinESMExports();
}

type Fire = (faultId: number, text: string) => void;

function die(): never {
  process.kill(process.pid, "SIGKILL");
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function troubleLedger(faults: readonly LedgerFault[], fire: Fire): void {
  const { openSync, writeSync } = fs;
  const ledgers = new Set<number>();
  fs.openSync = (path, flags, mode): number => {
    const file = openSync(path, flags, mode);
    // After a resume it is written under another name first.
    if (typeof path === "string" && path.includes("ledger.jsonl")) ledgers.add(file);
    return file;
  };
  const around = (file: number, ...rest: unknown[]): number => {
    const line = ledgers.has(file) && ArrayBuffer.isView(rest[0]) ? stepOfLine(rest[0]) : undefined;
    const due = faults.find(({ step }) => line !== undefined && line >= step);
    const text = `at the ledger line of step ${line ?? 0}`;
    if (due?.when === "before") {
      fire(due.faultId, `killed ${text}, before it`);
      die();
    }
    const written = (writeSync as (file: number, ...rest: unknown[]) => number)(file, ...rest);
    if (due?.when === "after") {
      fire(due.faultId, `killed ${text}, after it`);
      die();
    }
    return written;
  };
  fs.writeSync = around;
}

function stepOfLine(bytes: ArrayBufferView): number | undefined {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const found = /"type":"step","step":(\d+)/.exec(line);
  return found === null ? undefined : Number(found[1]);
}

/** Everything that FileStorage does to a checkpoint's files goes through these. */
function troubleCheckpoints(faults: readonly DiskFault[], fire: Fire): void {
  if (faults.length === 0) return;
  const { open, mkdir } = promises;
  const trouble = new CheckpointTrouble(faults, fire);
  promises.mkdir = (async (path: string, ...rest: unknown[]): Promise<unknown> => {
    await trouble.meets("mkdir", path);
    return (mkdir as (path: string, ...rest: unknown[]) => Promise<unknown>)(path, ...rest);
  }) as typeof promises.mkdir;
  promises.open = (async (path: string, ...rest: unknown[]) => {
    const file = await (open as (path: string, ...rest: unknown[]) => ReturnType<typeof open>)(
      path,
      ...rest,
    );
    const write = file.writeFile.bind(file);
    file.writeFile = async (data: Uint8Array, ...others: never[]): Promise<void> => {
      const verdict = await trouble.meets("write", path);
      if (verdict === "torn") {
        await write(data.subarray(0, data.length >> 1));
        await file.sync();
        die();
      }
      await write(data, ...others);
    };
    const sync = file.sync.bind(file);
    file.sync = async (): Promise<void> => {
      await trouble.meets("sync", path);
      await sync();
    };
    return file;
  }) as typeof promises.open;
}

class CheckpointTrouble {
  readonly #faults: readonly DiskFault[];
  readonly #fire: Fire;
  /** The checkpoint that each fault has chosen, and how often it was met. */
  readonly #met = new Map<number, { readonly step: number; writes: number; isTold: boolean }>();

  constructor(faults: readonly DiskFault[], fire: Fire) {
    this.#faults = faults;
    this.#fire = fire;
  }

  /** Fails, or waits, as the faults of this path's checkpoint say. */
  async meets(call: "mkdir" | "write" | "sync", path: string): Promise<"torn" | "whole"> {
    const step = Number(CHECKPOINT.exec(path)?.[1] ?? -1);
    for (const fault of this.#faults) {
      if (step < fault.step) continue;
      // One checkpoint is troubled, by one fault, and the next one is to succeed, unless another fault is due.
      const isTaken = [...this.#met].some(([id, met]) => id !== fault.faultId && met.step === step);
      if (isTaken) continue;
      const met = this.#met.get(fault.faultId) ?? { step, writes: 0, isTold: false };
      this.#met.set(fault.faultId, met);
      if (met.step !== step) continue;
      if (call === "write") met.writes += 1;
      const { kind, nth } = fault;
      const isNow = kind === "readOnly" ? call === "mkdir" : call === "write" && met.writes === nth;
      if (kind === "slow" && call === "sync") {
        this.#tell(fault, met, path);
        await sleep(SLOW_MS);
      }
      if (!isNow || kind === "slow") continue;
      this.#tell(fault, met, path);
      if (kind === "torn") return "torn";
      const { code, errno, text } = ERRORS[kind];
      throw Object.assign(new Error(`${code}: ${text}, ${call} '${path}'`), { code, errno, path });
    }
    return "whole";
  }

  #tell({ faultId, kind }: DiskFault, met: { isTold: boolean }, path: string): void {
    if (met.isTold) return;
    met.isTold = true;
    this.#fire(faultId, `${kind} at ${path.split("/").slice(-2).join("/")}`);
  }
}
