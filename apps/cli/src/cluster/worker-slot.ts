/** One place for a worker in a local cluster: whoever dies in it is replaced, within bounds. */

import type { Clock } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";

import type { Child, ChildExit } from "./child.js";

/** Workers that may die in a place one after the other, without any progress of the run, before it is given up. */
export const MAX_RESTARTS_IN_A_ROW = 5;
/** A worker's last line when its coordinator has told it that the run failed: nobody is to follow. */
const RUN_FAILED = /^(?:ostinato worker: )?the run failed: /;

export interface WorkerSlotModules {
  readonly timeouts: Pick<Timeouts, "respawnFirstMs" | "respawnLongestMs" | "soundLifeMs">;
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
  /** Since the run last made progress. */
  #restarts = 0;
  /** Workers in a row that died young. */
  #youngDeaths = 0;
  #isClosing = false;
  #endWait: (() => void) | undefined;

  constructor(modules: WorkerSlotModules) {
    this.#modules = modules;
  }

  /** Runs workers until one leaves by itself or because the run failed, the place is closed, or too many died. */
  async run(): Promise<"left" | "givenUp"> {
    const { clock, startWorker, nextName, onNotice } = this.#modules;
    let name = nextName();
    for (;;) {
      const bornAt = clock.now();
      const child = startWorker(name);
      this.#child = child;
      const exit = await child.exited;
      this.#child = undefined;
      if (this.#hasClosed()) return "left";
      // It was told to stop, or drained: the coordinator tells of that.
      if (exit.code === 0 || RUN_FAILED.test(exit.lastLine)) return "left";
      const death = `${name}${pidOf(child)} ${describeExit(exit)}`;
      if (this.#restarts >= MAX_RESTARTS_IN_A_ROW) {
        onNotice(`${death}; it is not replaced after ${MAX_RESTARTS_IN_A_ROW} restarts in a row`);
        return "givenUp";
      }
      this.#restarts += 1;
      const delayMs = this.#delayAfter(clock.now() - bornAt);
      name = nextName();
      const when = delayMs === 0 ? "" : ` in ${delayMs / 1000} s`;
      onNotice(`${death}; ${name} takes its place${when}`);
      if (delayMs > 0) await this.#wait(delayMs);
      if (this.#hasClosed()) return "left";
    }
  }

  /** The run goes on, so whatever kills workers does not stop it: the count starts again. */
  noteProgress(): void {
    this.#restarts = 0;
  }

  /** From now on no worker follows another. */
  close(): void {
    this.#isClosing = true;
    this.#endWait?.();
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

  /** Asked anew: it may have changed while a worker was waited for. */
  #hasClosed(): boolean {
    return this.#isClosing;
  }

  /** None after the first young death in a row, then half a second, then twice as long each time. */
  #delayAfter(lifeMs: number): number {
    const { respawnFirstMs, respawnLongestMs, soundLifeMs } = this.#modules.timeouts;
    // A worker that lived this long was not stillborn: the next one comes without delay.
    this.#youngDeaths = lifeMs >= soundLifeMs ? 0 : this.#youngDeaths + 1;
    if (this.#youngDeaths <= 1) return 0;
    return Math.min(respawnFirstMs * 2 ** (this.#youngDeaths - 2), respawnLongestMs);
  }

  async #wait(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#modules.clock.setTimer(delayMs, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#endWait = undefined;
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
