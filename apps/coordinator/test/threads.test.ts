/** Work beside the event loop: real threads, from compiled modules. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  clippingSchema,
  compileLanguageModelSpec,
  compileOptimizerSpec,
  parameterLayout,
} from "@ostinato/lstm";
import { encodeTensorFiles } from "@ostinato/run";
import type { CheckpointTensors } from "@ostinato/run";
import { afterEach, describe, expect, it } from "vitest";
import { CheckpointEncoder } from "../src/checkpoints/index.js";
import { ArithmeticThread } from "../src/steps/index.js";
import { WorkThread } from "../src/threads/index.js";

const compiled = (path: string): URL =>
  pathToFileURL(join(import.meta.dirname, "../dist", `${path}.js`));

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** How often the event loop turns before the promise is settled. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await work;
  } finally {
    isOver = true;
  }
  return turns;
}

describe("a work thread", () => {
  const entry = new URL("support/work-thread-main.mjs", import.meta.url);
  const start = (onLost: (error: Error) => void = () => undefined): WorkThread<unknown> => {
    const thread = new WorkThread<unknown>(entry, { name: "test", workerData: 7, onLost });
    closers.push(() => thread.close());
    return thread;
  };

  it("answers in order, and goes on after a request that throws", async () => {
    const thread = start();
    const answers = [thread.ask("data"), thread.ask("fail"), thread.ask("data")];
    await expect(Promise.allSettled(answers)).resolves.toMatchObject([
      { status: "fulfilled", value: 7 },
      { status: "rejected", reason: { code: "internal", message: "test: it can't be done" } },
      { status: "fulfilled", value: 7 },
    ]);
  });

  it("works while this event loop turns: it waits for what only a later turn does", async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const answer = start().ask({ flag });
    setImmediate(() => {
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    });
    await expect(answer).resolves.toBe("seen");
  });

  it("that ends by itself fails what is asked of it, then and later, and says so once", async () => {
    const lost: string[] = [];
    const thread = start(({ message }) => lost.push(message));
    await expect(thread.ask("exit")).rejects.toThrow("the test thread has ended");
    await expect(thread.ask("data")).rejects.toThrow("the test thread has ended");
    expect([thread.isAlive, lost]).toEqual([false, ["the test thread has ended"]]);
  });

  it("that is closed has lost nothing", async () => {
    const lost: string[] = [];
    const thread = start(({ message }) => lost.push(message));
    const answer = thread.ask({ flag: new Int32Array(new SharedArrayBuffer(4)) });
    answer.catch(() => undefined);
    await thread.close();
    await expect(answer).rejects.toThrow("the test thread has ended");
    expect(lost).toEqual([]);
  });
});

describe("the checkpoint thread", () => {
  // A language model of 4.6 million parameters: Zaremba small.
  const model = compileLanguageModelSpec({
    ...{ kind: "languageModel", cell: "lstm", vocabularySize: 10_000, embeddingSize: 200 },
    ...{ hiddenSize: 200, numLayers: 2, dropout: 0, forgetBias: 1 },
  });
  const layout = parameterLayout(model);
  const shared = (factor: number): Float32Array => {
    const values = new Float32Array(new SharedArrayBuffer(4 * layout.size));
    for (let i = 0; i < values.length; i++) values[i] = factor * i;
    return values;
  };
  const tensorsAt = (step: number): CheckpointTensors => ({
    ...{ step, model, layout, parameters: shared(step) },
    optimizer: { stepCount: step, slots: { m: shared(-step), v: shared(2 * step) } },
    statistics: new Float64Array(0),
    states: new Map([[1, Float32Array.of(1, 2, step)]]),
  });

  it("encodes and hashes a large model while the event loop turns", async () => {
    const encoder = new CheckpointEncoder(compiled("checkpoints/checkpoint-thread"), {
      ...{ model, layout },
    });
    closers.push(() => encoder.close());
    const first = tensorsAt(1);
    const encoded = encoder.encode(first);
    expect(await turnsDuring(encoded)).toBeGreaterThan(2);
    const files = await encoded;
    const expected = encodeTensorFiles(first);
    expect(files.map(({ name, sha256 }) => [name, sha256])).toEqual(
      expected.map(({ name, sha256 }) => [name, sha256]),
    );
    // Not copied to here, and used again for the next one.
    const second = await encoder.encode(tensorsAt(2));
    for (const [i, { bytes }] of second.entries()) {
      expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(Buffer.compare(bytes, files[i]?.bytes ?? Buffer.alloc(0))).toBe(0);
    }
    expect(second[0]?.sha256).toBe(encodeTensorFiles(tensorsAt(2))[0]?.sha256);
  });
});

describe("the arithmetic thread", () => {
  it("takes snapshots into those that were given back", async () => {
    const layout = { tensors: [{ name: "all", shape: [2], offset: 0, size: 2 }], size: 2 };
    const thread = new ArithmeticThread(
      compiled("steps/arithmetic-thread"),
      {
        init: {
          update: {
            optimizer: compileOptimizerSpec({ kind: "momentum" }),
            clipping: clippingSchema.parse({ kind: "none" }),
            ...{ gradientNoise: null, layout, seed: 3 },
          },
          statistics: { entries: [], size: 0 },
          state: undefined,
          segmentFolder: undefined,
        },
        segmentOf: () => 0,
      },
      () => undefined,
    );
    closers.push(() => thread.close());
    const first = await thread.snapshot();
    const [slot] = Object.values(first.slots);
    thread.release(first);
    const second = await thread.snapshot();
    const [again] = Object.values(second.slots);
    slot?.fill(3);
    expect(again).toEqual(Float32Array.of(3, 3));
    const third = await thread.snapshot();
    expect(Object.values(third.slots)[0]).toEqual(Float32Array.of(0, 0));
  });
});
