import { createTextLayout } from "@ostinato/data";
import { roundToBfloat16, sumLeavesInTreeOrder } from "@ostinato/kernels";
import {
  initialParameters,
  initialStatistics,
  momentsSize,
  parameterLayout,
  stateShape,
  statisticsLayout,
  unflattenMoments,
} from "@ostinato/lstm";
import type { NodeId } from "@ostinato/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { TrainedLeaf } from "../src/training/index.js";
import { ComputeThread } from "../src/training/index.js";
import type { SmallRun } from "./support/small-run.js";
import { smallRun } from "./support/small-run.js";

// A thread runs compiled code, as in production.
const entry = new URL("../dist/training/compute-thread-main.js", import.meta.url);

/** Of a model that normalizes nothing by batch. */
const NONE = new Float64Array(0);
const NO_ROWS = new Float32Array(0);
const never = new AbortController().signal;
const tensorCounts: number[] = [];
let shared: ComputeThread;

// One for all: starting TensorFlow.js takes longer than most of the tests.
beforeAll(() => {
  shared = new ComputeThread({ entry, onTensors: (count) => tensorCounts.push(count) });
});

afterAll(() => shared.close());

async function prepared(
  run: SmallRun,
  backend: "wasm" | "cpu" | "native",
): Promise<{ thread: ComputeThread; stateSizes: readonly number[]; parameters: Float32Array }> {
  const { spec, settings, encoded } = run;
  const dataset = { digest: run.dataset.digest, load: () => Promise.resolve(encoded.slice()) };
  const { stateSizes } = await shared.prepare({ backend, spec, settings, dataset });
  return { thread: shared, stateSizes, parameters: initialParameters(spec, 5) };
}

/** Gradients of each node in one flat buffer, and the results of the leaves. */
async function train(
  thread: ComputeThread,
  run: SmallRun,
  o: {
    readonly parameters: Float32Array;
    readonly statistics?: Float64Array;
    readonly nodes: readonly NodeId[];
    readonly states: readonly Float32Array[];
    readonly epochStep?: number;
  },
): Promise<{
  gradients: Float32Array[];
  leaves: readonly TrainedLeaf[];
  order: number[];
  events: string[];
}> {
  const size = parameterLayout(run.spec).size;
  const gradients = o.nodes.map(() => new Float32Array(size).fill(Number.NaN));
  const order: number[] = [];
  const events: string[] = [];
  const leaves = await thread.train(
    {
      step: 3,
      epochStep: o.epochStep ?? 1,
      version: 2,
      parameters: o.parameters,
      statistics: o.statistics ?? NONE,
      nodes: o.nodes,
      leaves: o.nodes.flatMap(({ firstLeaf, numLeaves }) =>
        Array.from({ length: numLeaves }, (_, index) => firstLeaf + index),
      ),
      states: o.states,
    },
    {
      onProgress: (phase) => events.push(phase),
      onGradient: ({ node, firstValue, values }) => {
        order.push(firstValue);
        events.push("gradient");
        gradients[node]?.set(values, firstValue);
        // What is computed with its memory does not depend on what is in it.
        thread.recycle(values.fill(Number.NaN));
        expect(values.byteLength).toBe(0);
      },
    },
    never,
  );
  return { gradients, leaves, order, events };
}

/** All but how often progress was told, which depends on time. */
function resultsOf({ gradients, leaves, order }: Awaited<ReturnType<typeof train>>): object {
  return { gradients, leaves, order };
}

/** States that no zero can stand in for. */
function someStates(stateSizes: readonly number[]): Float32Array[] {
  return stateSizes.map((size, leaf) =>
    Float32Array.from({ length: size }, (_, index) => Math.sin(leaf * 100 + index) / 2),
  );
}

describe.each(["wasm", "cpu"] as const)("ComputeThread on %s", (backend) => {
  it("gives for four leaves as one node the bits of the tree sum of four single leaves", async () => {
    const run = smallRun();
    const { thread, stateSizes, parameters } = await prepared(run, backend);
    // 1, 2, 2, 2 rows: floor(l · 7 / 4) to floor((l + 1) · 7 / 4).
    const { valuesPerRow } = stateShape(run.spec);
    expect(stateSizes).toEqual([1, 2, 2, 2].map((numRows) => numRows * valuesPerRow));
    const states = someStates(stateSizes);
    const together = await train(thread, run, {
      parameters,
      nodes: [{ firstLeaf: 0, numLeaves: 4 }],
      states,
    });
    const single = [];
    for (const [leaf, state] of states.entries()) {
      const nodes = [{ firstLeaf: leaf, numLeaves: 1 }];
      single.push(await train(thread, run, { parameters, nodes, states: [state] }));
    }
    expect(together.gradients[0]).toEqual(
      sumLeavesInTreeOrder(single.map(({ gradients }) => gradients[0]!)),
    );
    expect(together.leaves).toEqual(single.flatMap(({ leaves }) => leaves));
    expect(together.gradients[0]!.some((value) => value !== 0)).toBe(true);
  });

  it("gives for three nodes of one batch the bits of three batches", async () => {
    const run = smallRun();
    const { thread, stateSizes, parameters } = await prepared(run, backend);
    const states = someStates(stateSizes);
    const nodes = [
      { firstLeaf: 0, numLeaves: 2 },
      { firstLeaf: 2, numLeaves: 1 },
      { firstLeaf: 3, numLeaves: 1 },
    ];
    const together = await train(thread, run, { parameters, nodes, states });
    for (const [index, node] of nodes.entries()) {
      const own = states.slice(node.firstLeaf, node.firstLeaf + node.numLeaves);
      const alone = await train(thread, run, { parameters, nodes: [node], states: own });
      expect(together.gradients[index]).toEqual(alone.gradients[0]);
    }
  });
});

it("gives the same bits on native, with new memory and with what came back", async ({ skip }) => {
  const isThere = await shared.profiles(["native"]).then(
    () => true,
    () => false,
  );
  if (!isThere) skip("no native backend: the C++ kernels are not compiled");
  const run = smallRun();
  const { thread, stateSizes, parameters } = await prepared(run, "native");
  const states = someStates(stateSizes);
  for (const numLeaves of [4, 1, 2]) {
    const nodes = [{ firstLeaf: 0, numLeaves }];
    const own = states.slice(0, numLeaves);
    const withNew = await train(thread, run, { parameters, nodes, states: own });
    for (let n = 0; n < 3; n++) {
      const again = await train(thread, run, { parameters, nodes, states: own });
      expect(resultsOf(again)).toEqual(resultsOf(withNew));
    }
  }
});

describe("a ComputeThread of a run that rounds its gradients", () => {
  const run = smallRun();
  const whole = [{ firstLeaf: 0, numLeaves: 4 }];
  const pairs = [0, 2].map((firstLeaf) => ({ firstLeaf, numLeaves: 2 }));
  const preparedFor = (roundedLeaves: number | undefined) =>
    prepared({ ...run, settings: { ...run.settings, roundedLeaves } }, "wasm");

  it("rounds the whole sum of each node, and nothing before it", async () => {
    const { thread, stateSizes, parameters } = await preparedFor(undefined);
    const states = someStates(stateSizes);
    const exact = await train(thread, run, { parameters, nodes: pairs, states });
    await preparedFor(2);
    const rounded = await train(thread, run, { parameters, nodes: pairs, states });
    expect(rounded.gradients).toEqual(
      exact.gradients.map((gradient) => {
        const values = new Float32Array(gradient.length);
        roundToBfloat16(gradient, values);
        return values;
      }),
    );
    expect(rounded.gradients).not.toEqual(exact.gradients);
    // Losses, states and moments are what they were.
    expect(rounded.leaves).toEqual(exact.leaves);
  });

  it("gives a node the same bits whatever else it computes", async () => {
    const { thread, stateSizes, parameters } = await preparedFor(2);
    const states = someStates(stateSizes);
    const together = await train(thread, run, { parameters, nodes: pairs, states });
    for (const [n, node] of pairs.entries()) {
      const own = states.slice(node.firstLeaf, node.firstLeaf + 2);
      const alone = await train(thread, run, { parameters, nodes: [node], states: own });
      expect(alone.gradients[0]).toEqual(together.gradients[n]);
    }
  });

  it("refuses nodes of another level, of which other sums would be rounded", async () => {
    const { thread, stateSizes, parameters } = await preparedFor(2);
    const states = someStates(stateSizes);
    await expect(train(thread, run, { parameters, nodes: whole, states })).rejects.toMatchObject({
      code: "badLease",
      message: "nodes 0+4 are not all of 2 leaves, whose sums this run rounds",
    });
  });

  it("says of each matrix how long its rows are", async () => {
    const { thread, stateSizes, parameters } = await preparedFor(undefined);
    const rowValues = new Map<number, number>();
    await thread.train(
      {
        ...{ step: 3, epochStep: 1, version: 2, parameters, statistics: NONE },
        ...{ nodes: whole, leaves: [0, 1, 2, 3], states: someStates(stateSizes) },
      },
      {
        onProgress: () => undefined,
        onGradient: (slice) => rowValues.set(slice.firstValue, slice.rowValues),
      },
      never,
    );
    const { tensors } = parameterLayout(run.spec);
    const expected = tensors.map(({ offset, shape }) => [
      offset,
      shape.length === 2 ? shape[1] : 0,
    ]);
    expect([...rowValues].sort(([a], [b]) => a - b)).toEqual(expected);
    // The table of embeddings is the first.
    expect(expected[0]).toEqual([0, 6]);
  });
});

describe("batch normalization in a ComputeThread", () => {
  const run = smallRun({ normalization: "batch" });
  const layout = statisticsLayout(run.spec);
  const statistics = initialStatistics(layout);

  it("gives each leaf moments of its own, whichever leaves come with it", async () => {
    const { thread, stateSizes, parameters } = await prepared(run, "wasm");
    const states = someStates(stateSizes);
    const nodes = [{ firstLeaf: 0, numLeaves: 4 }];
    const together = await train(thread, run, { parameters, statistics, nodes, states });
    for (const [leaf, state] of states.entries()) {
      const single = [{ firstLeaf: leaf, numLeaves: 1 }];
      const options = { parameters, statistics, nodes: single, states: [state] };
      const alone = await train(thread, run, options);
      const moments = together.leaves[leaf]!.moments;
      expect(alone.leaves[0]!.moments).toEqual(moments);
      // 1, 2, 2 and 2 rows of 5 time steps, in both layers.
      const counts = unflattenMoments(layout, moments).map(({ count }) => count);
      expect(counts).toEqual(leaf === 0 ? [5, 5] : [10, 10]);
    }
  });

  it("gives a leaf without rows moments of nothing", async () => {
    const settings = { ...run.settings, microShards: 8 };
    const { thread, parameters } = await prepared({ ...run, settings }, "wasm");
    const nodes = [{ firstLeaf: 0, numLeaves: 1 }];
    const { leaves } = await train(thread, run, {
      ...{ parameters, statistics, nodes, states: [NO_ROWS] },
    });
    expect(leaves[0]?.moments).toEqual(new Float64Array(momentsSize(layout)));
  });

  it("evaluates with the running statistics of the version", async () => {
    const { thread, parameters } = await prepared(run, "wasm");
    const lossWith = async (version: number, values: Float64Array): Promise<number> => {
      const task = { split: "validation", version, parameters, statistics: values, leaves: [0] };
      const [leaf] = await thread.evaluate(task, { onProgress: () => undefined }, never);
      return leaf!.lossSum;
    };
    const first = await lossWith(2, statistics);
    const moved = statistics.map((value, i) => value + 0.1 * Math.sin(i));
    expect(await lossWith(3, moved)).not.toBe(first);
    expect(await lossWith(4, statistics)).toBe(first);
  });
});

describe("ComputeThread", () => {
  it("hands gradients out last layer first, each value of the flat buffer once", async () => {
    const run = smallRun();
    const { thread, stateSizes, parameters } = await prepared(run, "cpu");
    const nodes = [{ firstLeaf: 0, numLeaves: 4 }];
    const { order, gradients, events } = await train(thread, run, {
      parameters,
      nodes,
      states: someStates(stateSizes),
    });
    // While layers before it are still on their way backward.
    expect(events.indexOf("gradient")).toBeLessThan(events.lastIndexOf("backward"));
    expect(gradients[0]!.some(Number.isNaN)).toBe(false);
    const { tensors } = parameterLayout(run.spec);
    expect([...order].sort((a, b) => a - b)).toEqual(tensors.map(({ offset }) => offset));
    const layerOf = (offset: number): number => {
      const name = tensors.find((tensor) => tensor.offset === offset)?.name ?? "";
      if (name.startsWith("head")) return 3;
      if (name.startsWith("layers.1")) return 2;
      return name.startsWith("layers.0") ? 1 : 0;
    };
    const layers = order.map(layerOf);
    expect(layers).toEqual([...layers].sort((a, b) => b - a));
  });

  it("computes with what a version's memory holds when a task begins, whatever it held before", async () => {
    const run = smallRun();
    const { thread, stateSizes, parameters } = await prepared(run, "cpu");
    const others = initialParameters(run.spec, 6);
    const nodes = [{ firstLeaf: 0, numLeaves: 4 }];
    const states = someStates(stateSizes);
    // As a version's buffer is used again for a later one.
    const memory = new Float32Array(new SharedArrayBuffer(parameters.byteLength));
    const trained = (values: Float32Array): ReturnType<typeof train> => {
      memory.set(values);
      return train(thread, run, { parameters: memory, nodes, states });
    };
    const [first, second, again] = [
      await trained(parameters),
      await trained(others),
      await trained(parameters),
    ];
    expect(resultsOf(again)).toEqual(resultsOf(first));
    const expected = await train(thread, run, { parameters: others, nodes, states });
    expect(resultsOf(second)).toEqual(resultsOf(expected));
    expect(second.gradients).not.toEqual(first.gradients);
  });

  it("computes with the very samples that the layout names, and says so", async () => {
    const run = smallRun();
    const { thread, stateSizes, parameters } = await prepared(run, "cpu");
    const layout = createTextLayout({
      numTokens: run.dataset.splits.train.length,
      ...run.settings,
    });
    const last = layout.stepsPerEpoch - 1;
    for (const epochStep of [0, 1, last]) {
      const { leaves } = await train(thread, run, {
        parameters,
        nodes: [{ firstLeaf: 0, numLeaves: 4 }],
        states: someStates(stateSizes),
        epochStep,
      });
      for (const { result } of leaves) {
        const expected = layout.expectedLeaf(run.dataset.splits.train, epochStep, result.leaf);
        expect(result.numSamples).toBe(expected.numSamples);
        expect(result.lossWeight).toBe(expected.numSamples);
        expect(Buffer.compare(result.sampleDigest, expected.digest)).toBe(0);
      }
    }
  });

  it("gives zeros for a leaf without rows, alone as in a batch", async () => {
    const run = smallRun();
    const settings = { ...run.settings, microShards: 8 };
    const { thread, stateSizes, parameters } = await prepared({ ...run, settings }, "wasm");
    // floor(7 / 8) = 0: leaf 0 has no rows.
    expect(stateSizes[0]).toBe(0);
    const states = someStates(stateSizes);
    const nodes = [0, 1].map((firstLeaf) => ({ firstLeaf, numLeaves: 1 }));
    const batch = await train(thread, run, { parameters, nodes, states: states.slice(0, 2) });
    const alone = await train(thread, run, {
      parameters,
      nodes: nodes.slice(0, 1),
      states: states.slice(0, 1),
    });
    expect(alone.gradients[0]).toEqual(new Float32Array(parameters.length));
    expect(alone.gradients[0]).toEqual(batch.gradients[0]);
    expect(alone.leaves[0]).toEqual(batch.leaves[0]);
    expect(alone.leaves[0]?.result).toMatchObject({ lossSum: 0, lossWeight: 0, numSamples: 0 });
  });

  it("evaluates each leaf alike, whichever leaves come with it", async () => {
    const run = smallRun();
    const { thread, parameters } = await prepared(run, "wasm");
    const evaluate = (leaves: readonly number[]) =>
      thread.evaluate(
        { split: "validation", version: 2, parameters, statistics: NONE, leaves },
        { onProgress: () => undefined },
        never,
      );
    const all = await evaluate([0, 1, 2, 3]);
    const parts = [...(await evaluate([0])), ...(await evaluate([1, 2])), ...(await evaluate([3]))];
    expect(all).toEqual(parts);
    // Every target of the split once.
    const numSamples = all.reduce((sum, leaf) => sum + leaf.numSamples, 0);
    expect(numSamples).toBe(run.dataset.splits.validation.length - 1);
  });

  it("keeps as many tensors after a task as before it", async () => {
    const run = smallRun();
    const { thread, stateSizes, parameters } = await prepared(run, "wasm");
    const nodes = [{ firstLeaf: 0, numLeaves: 4 }];
    const states = someStates(stateSizes);
    // Training keeps what it computes of the parameters besides, such as transposes, until the next task.
    for (let round = 0; round < 2; round++) {
      await train(thread, run, { parameters, nodes, states });
      await thread.evaluate(
        { split: "test", version: 2, parameters, statistics: NONE, leaves: [0, 1, 2, 3] },
        { onProgress: () => undefined },
        never,
      );
    }
    const counts = tensorCounts.slice(-4);
    expect(counts.slice(2)).toEqual(counts.slice(0, 2));
  });

  it("stops in the midst of a computation, leaks nothing, and goes on with the next", async () => {
    const run = smallRun({ numRepeats: 400 });
    const { thread, stateSizes, parameters } = await prepared(run, "cpu");
    const nodes = [{ firstLeaf: 0, numLeaves: 4 }];
    const states = someStates(stateSizes);
    const first = await train(thread, run, { parameters, nodes, states });
    const tensorsBefore = tensorCounts.at(-1);
    const abort = new AbortController();
    const evaluation = thread.evaluate(
      { split: "train", version: 2, parameters, statistics: NONE, leaves: [0, 1, 2, 3] },
      { onProgress: () => abort.abort() },
      abort.signal,
    );
    await expect(evaluation).rejects.toMatchObject({ code: "cancelled" });
    const again = await train(thread, run, { parameters, nodes, states });
    expect(resultsOf(again)).toEqual(resultsOf(first));
    expect(tensorCounts.at(-1)).toBe(tensorsBefore);
  });

  it.each([
    ["nodes that leave a leaf out", { nodes: [{ firstLeaf: 0, numLeaves: 1 }], leaves: [0, 1] }],
    ["a node that is no subtree", { nodes: [{ firstLeaf: 1, numLeaves: 2 }], leaves: [1, 2] }],
    ["a leaf that does not exist", { nodes: [{ firstLeaf: 4, numLeaves: 1 }], leaves: [4] }],
    ["no leaves", { nodes: [], leaves: [] }],
  ])("refuses a lease with %s", async (_, { nodes, leaves }) => {
    const run = smallRun();
    const { thread, stateSizes, parameters } = await prepared(run, "cpu");
    const states = leaves.map((leaf) => new Float32Array(stateSizes[leaf] ?? 0));
    const task = {
      ...{ step: 1, epochStep: 0, version: 0, parameters, statistics: NONE },
      ...{ nodes, leaves, states },
    };
    const events = { onProgress: () => undefined, onGradient: () => expect.unreachable() };
    await expect(thread.train(task, events, never)).rejects.toMatchObject({ code: "badLease" });
  });

  it("offers the profiles of the backends that work here, in the order asked for", async () => {
    const profiles = await shared.profiles(["wasm", "cpu"]);
    expect(profiles.map(({ backend }) => backend)).toEqual(["wasm", "cpu"]);
    for (const { digest } of profiles) expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await shared.profiles(["cpu", "wasm"], 1)).toEqual(profiles.slice(1));
  });

  it("loads a data set once for any number of setups, moves it, and takes another", async () => {
    const run = smallRun();
    const { spec, settings, encoded } = run;
    let numLoads = 0;
    const loaded: Uint8Array[] = [];
    const setup = (digest: string) => ({
      backend: "cpu",
      spec,
      settings,
      dataset: {
        digest,
        load: () => {
          numLoads += 1;
          loaded.push(encoded.slice());
          return Promise.resolve(loaded.at(-1)!);
        },
      },
    });
    const first = await shared.prepare(setup("a"));
    expect(await shared.prepare(setup("a"))).toEqual(first);
    expect([numLoads, loaded[0]?.byteLength]).toEqual([1, 0]);
    expect(await shared.prepare(setup("b"))).toEqual(first);
    expect(numLoads).toBe(2);
  });

  it("loads a data set again after a setup that failed", async () => {
    const { spec, settings, encoded } = smallRun();
    const setup = (bytes: Uint8Array) => ({
      backend: "cpu",
      spec,
      settings,
      dataset: { digest: "damaged at first", load: () => Promise.resolve(bytes.slice()) },
    });
    await expect(shared.prepare(setup(encoded.subarray(0, 10)))).rejects.toMatchObject({
      code: "compute",
      // Where in the thread it was thrown, for the log.
      cause: expect.objectContaining({ stack: expect.stringContaining("shard-computer") }),
    });
    expect((await shared.prepare(setup(encoded))).stateSizes).toHaveLength(settings.microShards);
  });

  it("says so when the thread is gone", async () => {
    const thread = new ComputeThread({ entry });
    const pending = expect(thread.profiles(["cpu"])).rejects.toMatchObject({ code: "threadLost" });
    await thread.close();
    await pending;
    await expect(thread.profiles(["cpu"])).rejects.toMatchObject({ code: "threadLost" });
    // Closed on purpose: nobody needs to hear of it.
    expect(thread.lost.aborted).toBe(false);
  });

  it("says so when the thread cannot start", async () => {
    const thread = new ComputeThread({ entry: new URL("./missing.js", entry) });
    const lost = new Promise((resolve) => {
      thread.lost.addEventListener("abort", () => resolve(thread.lost.reason));
    });
    await expect(thread.profiles(["cpu"])).rejects.toMatchObject({ code: "threadLost" });
    expect(await lost).toMatchObject({ code: "threadLost" });
    await thread.close();
  });
});
