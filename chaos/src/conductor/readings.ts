/** What processes hold, and what the coordinator counts, read at moments that a history can compare. */

import type { History, Resources } from "../history/index.js";
import { readResources } from "../processes/index.js";
import type { Coordinator } from "./coordinator.js";
import type { Passing } from "./passing.js";
import type { Slot } from "./slot.js";

/** A worker has what it needs by then: its code is loaded, and its buffers are there. */
const LEASES_BEFORE_BASE = 4;

export interface ReadingsOptions {
  readonly history: History;
  /** All of the schedule. */
  readonly slots: readonly Slot[];
}

export class Readings {
  readonly #options: ReadingsOptions;
  /** What was read so far; each once. */
  readonly #done = new Set<string>();
  readonly #numLeases = new Map<number, number>();

  constructor(options: ReadingsOptions) {
    this.#options = options;
  }

  /**
   * Reads what is due at this moment: of the coordinator early in each of its lives, with everybody there, and of
   * everybody at the end, with whoever is left.
   */
  async readIfDue(
    passing: Passing,
    slot: Slot,
    coordinator: Coordinator | undefined,
    incarnation: number,
  ): Promise<void> {
    const { phase, step, message } = passing;
    const { slots } = this.#options;
    const isEnd =
      message.kind === "lease" && message.lease.split === "test" && phase === "evaluation";
    if (isEnd) for (const each of slots) this.#readWorker(each, "end");
    if (phase === "lease" && this.#leased(slot) > LEASES_BEFORE_BASE) {
      this.#readWorker(slot, "base");
    }
    const isEarly = phase === "lease" && step > 2 && slots.every(({ isAttached }) => isAttached);
    const when = isEnd ? "end" : isEarly ? "base" : undefined;
    if (when === undefined || !this.#isFirst(`${when} of incarnation ${incarnation}`)) return;
    await coordinator?.read(when, incarnation);
  }

  #readWorker({ number, program }: Slot, when: "base" | "end"): void {
    if (program?.isRunning !== true) return;
    const { pid } = program;
    if (!this.#isFirst(`${when} of process ${pid}`)) return;
    const resources = resourcesOf(pid);
    if (resources === undefined) return;
    this.#options.history.add({ kind: "workerReading", when, slot: number, pid, resources });
  }

  /** @returns leases that the slot's present process has had, this one included */
  #leased({ program }: Slot): number {
    if (program === undefined) return 0;
    const count = (this.#numLeases.get(program.pid) ?? 0) + 1;
    this.#numLeases.set(program.pid, count);
    return count;
  }

  #isFirst(what: string): boolean {
    if (this.#done.has(what)) return false;
    this.#done.add(what);
    return true;
  }
}

/** Undefined of a process that has ended since it was looked at. */
function resourcesOf(pid: number): Resources | undefined {
  try {
    return readResources(pid);
  } catch {
    return undefined;
  }
}
