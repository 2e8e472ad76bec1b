import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";
import { DataFetches } from "./index.js";

async function* chunks(count: number, bytes: number) {
  for (let index = 0; index < count; index++) {
    const payload = new Uint8Array(bytes);
    yield await Promise.resolve({
      ...{ offset: index * bytes, totalBytes: count * bytes },
      payload,
      crc32: 0,
    });
  }
}

describe("transfers of the data", () => {
  it("are counted as they go on, until the last chunk or until nobody asks for more", async () => {
    const clock = new ManualClock();
    const fetches = new DataFetches(clock);
    expect(fetches.all()).toEqual([]);
    const whole = fetches.watch(30, chunks(3, 10));
    const broken = fetches.watch(30, chunks(3, 10));
    await whole.next();
    await broken.next();
    clock.advance(100);
    await whole.next();
    expect(fetches.all()).toEqual([
      { bytesSent: 0, totalBytes: 30, movedAtMs: 0 },
      { bytesSent: 10, totalBytes: 30, movedAtMs: 100 },
    ]);
    await broken.return(undefined);
    expect(fetches.all()).toHaveLength(1);
    for await (const chunk of whole) expect(chunk.payload).toHaveLength(10);
    expect(fetches.all()).toEqual([]);
  });
});
