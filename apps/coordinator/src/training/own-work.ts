/** What the coordinator does itself between two rounds, and since when: nobody else can tell. */

import type { Clock } from "@ostinato/runtime";

export interface OwnWorkStage {
  /** What waits for it, such as "step 12". */
  readonly subject: string;
  /** What is being done, such as "the update is being applied". */
  readonly what: string;
  /** `arithmetic`: in the coordinator's threads; `storage`: in the run directory. */
  readonly kind: "arithmetic" | "storage";
}

export interface OngoingWork extends OwnWorkStage {
  readonly sinceMs: number;
}

export class OwnWork {
  readonly #clock: Clock;
  readonly #stages: OngoingWork[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is being done now; undefined while the coordinator waits for others, or for nothing. */
  get current(): OngoingWork | undefined {
    return this.#stages.at(-1);
  }

  async during<T>(stage: OwnWorkStage, work: Promise<T>): Promise<T> {
    const ongoing = { ...stage, sinceMs: this.#clock.now() };
    this.#stages.push(ongoing);
    try {
      return await work;
    } finally {
      this.#stages.splice(this.#stages.indexOf(ongoing), 1);
    }
  }
}
