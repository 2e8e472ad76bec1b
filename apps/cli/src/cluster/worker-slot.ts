/** One place for a worker in a local cluster: whoever dies in it is replaced, within bounds. */

import type { Clock } from "@ostinato/runtime";

import type { Child, ChildExit } from "./child.js";

/** Workers that may die in a place one after the other before it is given up. */
export const MAX_RESTARTS_IN_A_ROW = 5;
/** A worker that lived this long was not stillborn: the count starts again. */
export const SOUND_LIFE_MS = 60_000;

export interface WorkerSlotModules {
  readonly clock: Clock;
  /** Starts a worker by the name `worker-N`. */
  readonly startWorker: (name: string) => Child;
  /** Gives the next name, counting up over all places. */
  readonly nextName: () => string;
  readonly onNotice: (text: string) => void;
}

export class WorkerSlot {
  readonly #modules: WorkerSlotModules;
  #child: Child | undefined;
  #restarts = 0;
  #isClosing = false;

  constructor(modules: WorkerSlotModules) {
    this.#modules = modules;
  }

  /** Runs workers until one leaves by itself, the place is closed, or too many died. */
  async run(): Promise<"left" | "givenUp"> {
    const { clock, startWorker, nextName, onNotice } = this.#modules;
    let name = nextName();
    for (;;) {
      const bornAt = clock.now();
      const child = startWorker(name);
      this.#child = child;
      const exit = await child.exited;
      this.#child = undefined;
      if (this.#isClosing) return "left";
      // It was told to stop, or drained: the coordinator tells of that.
      if (exit.code === 0) return "left";
      if (clock.now() - bornAt >= SOUND_LIFE_MS) this.#restarts = 0;
      const death = `${name}${pidOf(child)} ${describeExit(exit)}`;
      if (this.#restarts >= MAX_RESTARTS_IN_A_ROW) {
        onNotice(`${death}; it is not replaced after ${MAX_RESTARTS_IN_A_ROW} restarts in a row`);
        return "givenUp";
      }
      this.#restarts += 1;
      name = nextName();
      onNotice(`${death}; ${name} takes its place`);
    }
  }

  /** From now on no worker follows another. */
  close(): void {
    this.#isClosing = true;
  }

  /** Lets the worker go by itself, and no other come. */
  release(): void {
    this.close();
    this.#child?.release();
  }

  kill(): void {
    this.close();
    this.#child?.kill("SIGKILL");
  }
}

function pidOf({ pid }: Child): string {
  return pid === undefined ? "" : ` (pid ${pid})`;
}

/** How a process ended, as the end of a sentence. */
export function describeExit({ code, signal, lastLine }: ChildExit): string {
  if (signal !== undefined) return `was killed by ${signal}`;
  return `ended with exit code ${code ?? 1}${lastLine === "" ? "" : `: ${lastLine}`}`;
}
