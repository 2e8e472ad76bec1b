/** Transfers of the data set that are under way: what workers wait for before they take part. */

import type { DataChunk } from "@ostinato/proto";
import type { Clock } from "@ostinato/runtime";

export interface DataFetch {
  readonly bytesSent: number;
  readonly totalBytes: number;
  /** When the last chunk was asked for by a connection that had room for it. */
  readonly movedAtMs: number;
}

export class DataFetches {
  readonly #clock: Clock;
  readonly #underWay = new Set<DataFetch>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(): readonly DataFetch[] {
    return [...this.#underWay];
  }

  /** Passes chunks on, and counts them until the last one, or until nobody asks for more. */
  async *watch(totalBytes: number, chunks: AsyncIterable<DataChunk>): AsyncGenerator<DataChunk> {
    let fetch: DataFetch = { bytesSent: 0, totalBytes, movedAtMs: this.#clock.now() };
    this.#underWay.add(fetch);
    try {
      for await (const chunk of chunks) {
        yield chunk;
        this.#underWay.delete(fetch);
        const bytesSent = chunk.offset + chunk.payload.byteLength;
        fetch = { bytesSent, totalBytes, movedAtMs: this.#clock.now() };
        this.#underWay.add(fetch);
      }
    } finally {
      this.#underWay.delete(fetch);
    }
  }
}
