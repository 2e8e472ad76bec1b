/** Everything that training needs of a machine, looked at once. */

import { checkBackends } from "./backends.js";
import type { BackendCheck } from "./backends.js";
import { findCompiler } from "./compiler.js";
import { describeMachine } from "./machine.js";
import type { Machine, MachineSource } from "./machine.js";
import { checkNode } from "./node-version.js";
import type { NodeCheck } from "./node-version.js";
import { checkLoopback, checkUnixSocket } from "./ports.js";
import type { Trouble } from "./ports.js";
import { checkRunFolder } from "./run-folder.js";
import type { RunFolderCheck } from "./run-folder.js";
import { measureSpeed } from "./speed.js";
import type { Speed } from "./speed.js";

/** What was found. Each `trouble` is a reason in one line, null where there is none. */
export interface Health {
  readonly node: NodeCheck;
  readonly machine: Machine;
  readonly backends: readonly BackendCheck[];
  /** The fastest that works, which a worker takes unless it is told otherwise. */
  readonly usedBackend: string | null;
  /** Null if no backend works. */
  readonly speed: Speed | null;
  /** The compiler that the native kernels were, or would be, built with. */
  readonly compiler: string | null;
  readonly loopback: { readonly trouble: string | null };
  readonly unixSocket: { readonly trouble: string | null };
  readonly runFolder: RunFolderCheck;
}

export interface ExamineOptions {
  readonly nodeVersion: string;
  readonly machine: MachineSource;
  /** Where runs would be kept, absolute. */
  readonly runFolder: string;
  /** Milliseconds. */
  readonly now: () => number;
  /** Of each measurement of speed. */
  readonly seconds: number;
}

export async function examine(options: ExamineOptions): Promise<Health> {
  const { now, seconds } = options;
  const machine = describeMachine(options.machine);
  const { backends, used } = await checkBackends();
  return {
    node: checkNode(options.nodeVersion),
    machine,
    backends,
    usedBackend: used?.name ?? null,
    speed:
      used === null
        ? null
        : await measureSpeed({ isThreaded: used.isThreaded, cores: machine.cores, now, seconds }),
    compiler: (await findCompiler()) ?? null,
    loopback: asCheck(await checkLoopback()),
    unixSocket: asCheck(await checkUnixSocket()),
    runFolder: await checkRunFolder(options.runFolder, now),
  };
}

const asCheck = (trouble: Trouble): { readonly trouble: string | null } => ({
  trouble: trouble ?? null,
});
