/** What happens in the run, to everyone who watches. */

import type { WatchEvent } from "@ostinato/proto";

/** A watcher that reads too slowly loses the oldest steps, and nothing else. */
const MAX_QUEUED = 1024;
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
    const queue: WatchEvent[] = [...(this.#early ?? []), this.#ended ?? []].flat();
    this.#early = undefined;
    let wake: (() => void) | undefined;
    const watcher = (event: WatchEvent): void => {
      queue.push(event);
      if (queue.length > MAX_QUEUED) {
        const oldest = queue.findIndex(({ kind }) => kind === "step");
        if (oldest >= 0) queue.splice(oldest, 1);
      }
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
