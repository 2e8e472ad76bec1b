/** What happens in the run, to everyone who watches. */

import type { WatchEvent } from "@ostinato/proto";
import { WatchQueue } from "./watch-queue.js";

/** What was said before anybody watched, such as what was done to the text. */
const MAX_EARLY = 64;

export class EventHub {
  readonly #watchers = new Set<(event: WatchEvent) => void>();
  #early: WatchEvent[] | undefined = [];
  #ended: WatchEvent | undefined;

  emit(event: WatchEvent): void {
    if (event.kind === "ended") this.#ended = event;
    else if (event.kind === "notice" && this.#early !== undefined) {
      this.#early = [...this.#early, event].slice(-MAX_EARLY);
    }
    for (const watcher of this.#watchers) watcher(event);
  }

  /** Events from now on, the first watcher's from the start; ends after `ended`, or when the signal aborts. */
  async *watch(signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const queue = new WatchQueue();
    for (const event of [...(this.#early ?? []), this.#ended ?? []].flat()) queue.push(event);
    this.#early = undefined;
    let wake: (() => void) | undefined;
    const watcher = (event: WatchEvent): void => {
      queue.push(event);
      wake?.();
    };
    const onAbort = (): void => wake?.();
    this.#watchers.add(watcher);
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        yield event;
        if (event.kind === "ended") return;
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
