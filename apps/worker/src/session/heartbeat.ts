/** A sign of life while a lease is run: from this thread, whatever the one that computes is at. */

import type { Clock, Timer } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";

/**
 * Beats until it is stopped. The coordinator tells by it a computation that stands still from a process
 * that does; it renews no lease, or a computation that hangs would keep its leaves for ever.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #beat: () => void;
  #timer: Timer | undefined;

  constructor(
    options: { readonly deadlineMs: number },
    modules: { readonly clock: Clock; readonly beat: () => void },
  ) {
    this.#intervalMs = deriveTimeouts(options.deadlineMs).heartbeatMs;
    this.#clock = modules.clock;
    this.#beat = modules.beat;
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(this.#intervalMs, () => {
      this.#schedule();
      this.#beat();
    });
  }
}
