/** What one watcher has not read yet. */

import type { WatchEvent } from "@ostinato/proto";

/** A watcher that reads too slowly loses the oldest steps, and where there are none of those, the oldest of the others. */
const MAX_QUEUED = 1024;

interface Queued {
  readonly number: number;
  readonly event: WatchEvent;
}

/** A queue of bounded length, in the order of what happened. The end of the run is never lost. */
export class WatchQueue {
  /** Apart, so that the oldest step is found at once: a slow watcher must not make each event slow for all. */
  readonly #steps: Queued[] = [];
  readonly #others: Queued[] = [];
  #numPushed = 0;
  #numLeftOut = 0;
  #hasEnd = false;

  push(event: WatchEvent): void {
    // Nobody reads on behind it, and nothing may take its place.
    if (this.#hasEnd) return;
    this.#hasEnd = event.kind === "ended";
    const queue = event.kind === "step" ? this.#steps : this.#others;
    queue.push({ number: this.#numPushed++, event });
    if (this.#steps.length + this.#others.length <= MAX_QUEUED) return;
    if (this.#steps.shift() !== undefined) return;
    this.#others.shift();
    this.#numLeftOut += 1;
  }

  /** The oldest there is; before it, whether others were left out. */
  shift(): WatchEvent | undefined {
    if (this.#numLeftOut > 0) {
      const text = `${this.#numLeftOut} events are left out here: they were not read in time`;
      this.#numLeftOut = 0;
      return { kind: "notice", level: "warn", text };
    }
    const [step, other] = [this.#steps[0], this.#others[0]];
    const isStep = (step?.number ?? Infinity) < (other?.number ?? Infinity);
    return (isStep ? this.#steps : this.#others).shift()?.event;
  }
}
