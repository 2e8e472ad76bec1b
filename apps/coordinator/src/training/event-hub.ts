/** What happens in the run, to everyone who watches. */

import type { WatchEvent } from "@ostinato/proto";

/** A watcher that reads too slowly loses the oldest steps, never the end. */
const MAX_QUEUED = 1024;

export class EventHub {
  readonly #watchers = new Set<(event: WatchEvent) => void>();
  #ended: WatchEvent | undefined;

  emit(event: WatchEvent): void {
    if (event.kind === "ended") this.#ended = event;
    for (const watcher of this.#watchers) watcher(event);
  }

  /** Events from now on; ends after `ended`, or when the signal aborts. */
  async *watch(signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const queue: WatchEvent[] = this.#ended === undefined ? [] : [this.#ended];
    let wake: (() => void) | undefined;
    const watcher = (event: WatchEvent): void => {
      if (queue.length >= MAX_QUEUED) queue.shift();
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
