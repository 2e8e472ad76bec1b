/** Says what the run waits for, once a stall and again every so often. Pure, time injected. */

export interface StallWatchOptions {
  /** The same stall is told again after this long. */
  readonly repeatMs: number;
  readonly notify: (text: string) => void;
}

export class StallWatch {
  readonly #options: StallWatchOptions;
  #toldAtMs: number | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** @param sentence what the run waits for; empty while it moves */
  check(sentence: string, nowMs: number): void {
    if (sentence === "") {
      this.#toldAtMs = undefined;
      return;
    }
    const { repeatMs, notify } = this.#options;
    if (this.#toldAtMs !== undefined && nowMs - this.#toldAtMs < repeatMs) return;
    this.#toldAtMs = nowMs;
    notify(sentence);
  }
}
