import { treeAdd } from "@ostinato/kernels";
import type { NodeId } from "@ostinato/proto";
import { describe, expect, it } from "vitest";
import { GradientTree, ParameterVersion } from "../steps/index.js";
import type { CompleteUpload } from "../steps/index.js";
import { leavesOf, TrainRound } from "./train-round.js";

const SAMPLES_PER_LEAF = 2;

const nodeOf = (firstLeaf: number, numLeaves: number): NodeId => ({ firstLeaf, numLeaves });

/** The gradient of leaf k is 2^k. */
function uploadOf(node: NodeId): CompleteUpload {
  const leaves = leavesOf(node);
  return {
    ...{ node, norm: 1, moments: new Map() },
    gradient: Float32Array.of(leaves.reduce((sum, leaf) => sum + 2 ** leaf, 0)),
    leaves: leaves.map((leaf) => ({
      ...{ leaf, lossSum: 1, lossWeight: 1, numSamples: SAMPLES_PER_LEAF },
      sampleDigest: new Uint8Array(32),
    })),
    states: new Map(leaves.map((leaf) => [leaf, Float32Array.of(leaf)])),
  };
}

function roundOf(numLeaves: number): TrainRound {
  const parameters = new Float32Array(1);
  return new TrainRound({
    planned: { step: 1, epoch: 0, epochStep: 0 },
    version: new ParameterVersion(
      {
        ...{ version: 0, step: 0, values: { parameters, statistics: new Float64Array(0) } },
        summary: {
          ...{ frames: [], digest: new Uint8Array(32), segment: 0, segmentProblem: undefined },
        },
      },
      () => undefined,
    ),
    ...{ numLeaves, firstFence: 1 },
    tree: new GradientTree(numLeaves, {
      add: (into, other) => {
        treeAdd(into, other, into);
        return Promise.resolve();
      },
      release: () => undefined,
    }),
  });
}

const rootOf = async (round: TrainRound): Promise<number> =>
  (await round.tree.takeRoot())[0] ?? NaN;

/** Leaves 0 and 1 are held, of this worker, and leaf 0 is in the tree, of another. */
function heldOverAdmitted(workerId: string): {
  readonly round: TrainRound;
  readonly held: { readonly node: NodeId; readonly workerId: string; readonly fence: number };
} {
  const round = roundOf(2);
  const node = nodeOf(0, 2);
  const { fence } = round.leases.grant("other", [0], 0, { nodes: [nodeOf(0, 1)] });
  expect(round.admit(uploadOf(nodeOf(0, 1)), "other", fence)).toHaveLength(1);
  const held = { node, workerId, fence: round.leases.grant(workerId, [0, 1], 0).fence };
  round.hold(uploadOf(node), held.fence);
  return { round, held };
}

/** Leaf 0 stands as it is, leaf 1 is to be computed, and then all is there once. */
async function expectTheOtherLeafIsAll(round: TrainRound): Promise<void> {
  expect(round.leases.freeLeaves()).toEqual([1]);
  expect(round.isTaken(nodeOf(0, 1))).toBe(true);
  expect(round.isTaken(nodeOf(1, 1))).toBe(false);
  const { fence } = round.leases.grant("other", [1], 0, { nodes: [nodeOf(1, 1)] });
  expect(round.admit(uploadOf(nodeOf(1, 1)), "other", fence)).toHaveLength(1);
  expect(round.isComplete).toBe(true);
  expect(round.leases.isComplete).toBe(true);
  expect(await rootOf(round)).toBe(3);
  expect(round.results().map(({ leaf }) => leaf)).toEqual([0, 1]);
  expect([...round.states().keys()].sort()).toEqual([0, 1]);
}

describe("TrainRound", () => {
  it("keeps what the tree has of a held node's leaves when that is dropped", async () => {
    const { round, held } = heldOverAdmitted("odd");
    round.drop(held, "nobody could tell");
    expect(round.lost).toMatchObject([{ worker: "odd", leaves: [0, 1] }]);
    await expectTheOtherLeafIsAll(round);
  });

  it("keeps it when the worker of the held node is expelled", async () => {
    const { round, held } = heldOverAdmitted("bad");
    expect(round.expel("bad", [held])).toEqual({ own: [0, 1], others: [] });
    expect(round.lost).toMatchObject([{ worker: "bad", leaves: [0, 1] }]);
    await expectTheOtherLeafIsAll(round);
  });

  it("keeps what is held, of another worker, of a leaf that goes out of the tree", async () => {
    const round = roundOf(2);
    const bad = round.leases.grant("bad", [0], 0, { nodes: [nodeOf(0, 1)] });
    round.admit(uploadOf(nodeOf(0, 1)), "bad", bad.fence);
    const { fence } = round.leases.grant("good", [0, 1], 0);
    round.hold(uploadOf(nodeOf(0, 2)), fence);
    expect(round.expel("bad", [])).toEqual({ own: [0], others: [] });
    // Nobody need compute it while that is looked at, and then it counts.
    expect(round.leases.freeLeaves()).toEqual([]);
    expect(round.isTaken(nodeOf(0, 1))).toBe(true);
    expect(round.results()).toEqual([]);
    expect(round.admit(uploadOf(nodeOf(0, 2)), "good", fence)).toEqual([]);
    expect(await rootOf(round)).toBe(3);
    expect(round.results()).toHaveLength(2);
  });

  it("counts the samples of leaves that a lease delivered among all of its own, also of those taken out", () => {
    const round = roundOf(4);
    const lease = round.leases.grant("odd", [0, 1, 2], 0);
    round.hold(uploadOf(nodeOf(0, 2)), lease.fence);
    round.drop({ node: nodeOf(0, 2), workerId: "odd", fence: lease.fence }, "nobody could tell");
    const { fence } = round.leases.grant("other", [0, 1], 0);
    round.admit(uploadOf(nodeOf(0, 2)), "other", fence);
    expect(round.admit(uploadOf(nodeOf(2, 1)), "odd", lease.fence)).toEqual([lease]);
    const samples = 3 * SAMPLES_PER_LEAF;
    expect(round.samplesOf(lease)).toEqual({ own: samples, all: samples });
  });
});
