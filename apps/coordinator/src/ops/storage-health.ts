/** Whether the run's files can be written: tells once that they can't, once that they can again. */

import type { Metrics, StoragePart } from "./metrics.js";

export interface StorageHealthModules {
  readonly metrics: Pick<Metrics, "storageFailing">;
  /** Tells those who watch the run. */
  readonly notify: (level: "info" | "warn", text: string) => void;
}

/** What training goes on without, in words. */
const WORDS: Readonly<Record<StoragePart, string>> = {
  checkpoints: "checkpoints",
  retention: "old checkpoints",
  metrics: "metrics.jsonl",
};

/**
 * Failures in a row of what training goes on without. A disk that is full for an hour fails each of a thousand
 * checkpoints: people hear of the first and of the end, the gauge tells of all between.
 */
export class StorageHealth {
  readonly #modules: StorageHealthModules;
  readonly #failures = new Map<StoragePart, number>();

  constructor(modules: StorageHealthModules) {
    this.#modules = modules;
  }

  /** @param text what failed and why, without a full stop */
  failed(part: StoragePart, text: string): void {
    const before = this.#failures.get(part) ?? 0;
    this.#set(part, before + 1);
    if (before === 0) this.#modules.notify("warn", `${text}; training goes on`);
  }

  worked(part: StoragePart): void {
    const before = this.#failures.get(part) ?? 0;
    if (before === 0) return;
    this.#set(part, 0);
    const failures = before === 1 ? "1 failure" : `${before} failures`;
    const what = part === "retention" ? "can be removed" : "can be written";
    this.#modules.notify("info", `${WORDS[part]} ${what} again, after ${failures} in a row`);
  }

  #set(part: StoragePart, failures: number): void {
    this.#failures.set(part, failures);
    this.#modules.metrics.storageFailing.set({ part }, failures);
  }
}
