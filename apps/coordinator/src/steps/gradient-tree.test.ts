import { sumLeavesInTreeOrder, treeAdd } from "@ostinato/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BufferPool, GradientTree } from "./index.js";

const SIZE = 5;

function createTree(numLeaves: number): { tree: GradientTree; pool: BufferPool } {
  const pool = new BufferPool(SIZE);
  const tree = new GradientTree(numLeaves, {
    add: (into, other) => {
      treeAdd(into, other, into);
      return Promise.resolve();
    },
    release: (buffer) => {
      pool.release(buffer);
    },
  });
  return { tree, pool };
}

describe("GradientTree", () => {
  it("gives the same bits for every grouping into nodes and every order of arrival", async () => {
    // Each leaf is split up or not by a coin at every node above it; then the nodes are shuffled.
    const arbitrary = fc.record({
      depth: fc.integer({ min: 0, max: 4 }),
      splits: fc.array(fc.boolean(), { minLength: 31, maxLength: 31 }),
      order: fc.array(fc.nat(), { minLength: 32, maxLength: 32 }),
      values: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
        minLength: 16 * SIZE,
        maxLength: 16 * SIZE,
      }),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ depth, splits, order, values }) => {
        const numLeaves = 2 ** depth;
        const leaves = Array.from({ length: numLeaves }, (_, leaf) =>
          Float32Array.from(values.slice(leaf * SIZE, (leaf + 1) * SIZE)),
        );
        const nodes: { firstLeaf: number; numLeaves: number }[] = [];
        const cut = (firstLeaf: number, count: number, index: number): void => {
          if (count > 1 && splits[index] === true) {
            cut(firstLeaf, count / 2, 2 * index + 1);
            cut(firstLeaf + count / 2, count / 2, 2 * index + 2);
          } else nodes.push({ firstLeaf, numLeaves: count });
        };
        cut(0, numLeaves, 0);
        nodes.sort((a, b) => (order[a.firstLeaf] ?? 0) - (order[b.firstLeaf] ?? 0));
        const { tree, pool } = createTree(numLeaves);
        for (const node of nodes) {
          expect(tree.isRootComplete).toBe(false);
          const buffer = pool.acquire();
          const part = leaves.slice(node.firstLeaf, node.firstLeaf + node.numLeaves);
          buffer.set(sumLeavesInTreeOrder(part));
          expect(tree.admit(node, buffer)).toBe("admitted");
        }
        const root = await tree.takeRoot();
        expect([...root]).toEqual([...sumLeavesInTreeOrder(leaves)]);
        pool.release(root);
        await tree.discard();
        expect(pool.numFree).toBe(pool.numAllocated);
      }),
    );
  });

  it("refuses a node that is complete and takes one that supersedes its parts", async () => {
    const { tree, pool } = createTree(4);
    const filled = (value: number): Float32Array => pool.acquire().fill(value);
    expect(tree.admit({ firstLeaf: 0, numLeaves: 1 }, filled(1))).toBe("admitted");
    expect(tree.admit({ firstLeaf: 0, numLeaves: 1 }, filled(9))).toBe("duplicate");
    expect(tree.admit({ firstLeaf: 0, numLeaves: 2 }, filled(3))).toBe("admitted");
    expect(tree.admit({ firstLeaf: 1, numLeaves: 1 }, filled(9))).toBe("duplicate");
    expect(tree.admit({ firstLeaf: 2, numLeaves: 2 }, filled(4))).toBe("admitted");
    const root = await tree.takeRoot();
    expect([...root]).toEqual([7, 7, 7, 7, 7]);
    pool.release(root);
    await tree.discard();
    expect(pool.numFree).toBe(pool.numAllocated);
  });
});
