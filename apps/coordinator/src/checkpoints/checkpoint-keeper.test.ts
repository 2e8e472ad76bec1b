import { createDecisions } from "@ostinato/lstm";
import { ManualClock } from "@ostinato/runtime";
import { describe, expect, it } from "vitest";
import { CheckpointKeeper } from "./checkpoint-keeper.js";
import type { CheckpointRequest, CheckpointStore, TrainedVersion } from "./checkpoint-keeper.js";

const NOTHING_DECIDED = createDecisions({
  plateau: null,
  earlyStopping: null,
  averaging: null,
}).initialState();

function request(step: number, isBest = false): CheckpointRequest {
  return {
    step,
    parameters: new Float32Array(new SharedArrayBuffer(4)),
    statistics: new Float64Array(0),
    optimizer: { stepCount: step, slots: {} },
    states: new Map(),
    progress: NOTHING_DECIDED,
    position: { head: "", offset: 0 },
    isBest,
  };
}

class SlowStore implements CheckpointStore {
  readonly written: number[] = [];
  readonly #gates: (() => void)[] = [];
  failing = false;
  cannotRemove = false;

  async write({ step }: CheckpointRequest): Promise<void> {
    await new Promise<void>((resolve) => this.#gates.push(resolve));
    if (this.failing) throw new Error("the disk is full");
    this.written.push(step);
  }

  /** Lets every write finish, also those that begin meanwhile. */
  async open(): Promise<void> {
    for (let turn = 0; turn < 100; turn++) {
      this.#gates.shift()?.();
      await Promise.resolve();
    }
  }

  readonly retainedAfter: (number | undefined)[] = [];
  retain = (): Promise<void> => {
    this.retainedAfter.push(this.written.at(-1));
    return this.cannotRemove ? Promise.reject(new Error("not empty")) : Promise.resolve();
  };
  load = (): Promise<TrainedVersion> => Promise.reject(new Error("missing"));
  writeEnd = (): Promise<void> => Promise.resolve();
}

function createKeeper(store: SlowStore): {
  keeper: CheckpointKeeper;
  failed: number[];
  left: string[];
} {
  const failed: number[] = [];
  const left: string[] = [];
  const keeper = new CheckpointKeeper({
    clock: new ManualClock(),
    store,
    onWritten: () => undefined,
    onFailed: (step) => failed.push(step),
    onRetained: () => undefined,
    onRetainFailed: ({ message }) => left.push(message),
  });
  return { keeper, failed, left };
}

describe("CheckpointKeeper", () => {
  it("replaces a waiting checkpoint by a newer one, but never the best", async () => {
    const store = new SlowStore();
    const { keeper } = createKeeper(store);
    const done: number[] = [];
    for (const [step, isBest] of [
      [1, false],
      [2, true],
      [3, false],
      [4, false],
    ] as const) {
      keeper.save(request(step, isBest), () => done.push(step));
    }
    await store.open();
    await keeper.settled();
    expect(store.written).toEqual([1, 2, 4]);
    expect([...done].sort()).toEqual([1, 2, 3, 4]);
  });

  it("lets a newer best take the place of one that still waits: no more than one is held", async () => {
    const store = new SlowStore();
    const { keeper } = createKeeper(store);
    const done: number[] = [];
    for (const step of [1, 2, 3, 4]) keeper.save(request(step, true), () => done.push(step));
    expect(done).toEqual([2, 3]);
    await store.open();
    await keeper.settled();
    expect(store.written).toEqual([1, 4]);
  });

  it("goes on after a failure and reports it until a newer checkpoint is written", async () => {
    const store = new SlowStore();
    const { keeper, failed } = createKeeper(store);
    store.failing = true;
    keeper.save(request(1), () => undefined);
    await store.open();
    await expect(keeper.settled()).rejects.toThrow("the disk is full");
    store.failing = false;
    keeper.save(request(2), () => undefined);
    await store.open();
    await keeper.settled();
    expect(failed).toEqual([1]);
    expect(store.written).toEqual([2]);
  });

  it("does not take an old checkpoint that stays for a new one that failed", async () => {
    const store = new SlowStore();
    const { keeper, failed, left } = createKeeper(store);
    store.cannotRemove = true;
    keeper.save(request(1), () => undefined);
    await store.open();
    await keeper.settled();
    expect([failed, left]).toEqual([[], ["not empty"]]);
  });

  it("has the best parameters though they could not be written, and writes them with the next", async () => {
    const store = new SlowStore();
    const { keeper, failed } = createKeeper(store);
    store.failing = true;
    const best = request(3, true);
    best.parameters[0] = 0.5;
    keeper.save(best, () => (best.parameters[0] = 9));
    await store.open();
    expect((await keeper.loadEvaluated(3)).parameters).toEqual(Float32Array.of(0.5));
    store.failing = false;
    keeper.save(request(4), () => undefined);
    await store.open();
    await keeper.settled();
    expect([store.written, failed]).toEqual([[3, 4], [3]]);
    // On account of the newest alone: seen from the old one, what is newer would be in the way.
    expect(store.retainedAfter).toEqual([4]);
    await expect(keeper.loadEvaluated(3)).rejects.toThrow("missing");
  });
});
