import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { nodesCovering } from "./gradient-nodes.js";
import { sumLeavesInTreeOrder, treeAdd } from "./tree-sum.js";

const bits = (values: Float32Array): number[] => [
  ...new Uint32Array(values.buffer, values.byteOffset, values.length),
];

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });

/** 2^k leaves of a few values each, with magnitudes that make the order of addition matter. */
const anyLeaves = fc
  .record({ height: fc.nat(5), size: fc.integer({ min: 1, max: 4 }) })
  .chain(({ height, size }) => {
    const leaf = fc.array(float32, { minLength: size, maxLength: size });
    return fc.array(leaf, { minLength: 2 ** height, maxLength: 2 ** height });
  })
  .map((leaves) => leaves.map((leaf) => Float32Array.from(leaf)));

describe("treeAdd", () => {
  it("rounds each sum to float32", () => {
    // 2^24 + 1 lies between the float32s 2^24 and 2^24 + 2 and goes to the even one, 2^24.
    const out = new Float32Array(2);
    treeAdd(Float32Array.of(2 ** 24, 1.5), Float32Array.of(1, 0.25), out);
    expect([...out]).toEqual([2 ** 24, 1.75]);
  });

  it("may write over one of its operands", () => {
    const left = Float32Array.of(1, 2);
    const right = Float32Array.of(10, 20);
    treeAdd(left, right, left);
    expect([...left]).toEqual([11, 22]);
    treeAdd(left, right, right);
    expect([...right]).toEqual([21, 42]);
  });

  it("refuses operands of different lengths, by name", () => {
    const [two, three] = [new Float32Array(2), new Float32Array(3)];
    expect(() => treeAdd(two, three, two)).toThrow(
      new RangeError("right has 3 values; it must have as many as left: 2"),
    );
    expect(() => treeAdd(two, two, three)).toThrow(
      new RangeError("out has 3 values; it must have as many as left: 2"),
    );
  });

  it("refuses arrays that overlap in part, and takes neighbours", () => {
    const whole = Float32Array.of(1, 2, 3, 4);
    const [left, right] = [whole.subarray(0, 2), whole.subarray(2)];
    expect(() => treeAdd(left, right, whole.subarray(1, 3))).toThrow(
      new RangeError("out and left overlap in part; they must be the same values or apart"),
    );
    treeAdd(left, right, whole.subarray(0, 2));
    expect([...whole]).toEqual([4, 6, 3, 4]);
  });
});

describe("sumLeavesInTreeOrder", () => {
  it("adds halves, not one leaf after the other", () => {
    // In float32, 2^24 + 1 = 2^24. From left to right ((2^24 + 1) + 1) + 1 stays 2^24; the tree
    // has (2^24 + 1) + (1 + 1) = 2^24 + 2.
    const leaves = [2 ** 24, 1, 1, 1].map((value) => Float32Array.of(value));
    expect([...sumLeavesInTreeOrder(leaves)]).toEqual([2 ** 24 + 2]);
  });

  it("has the same bits whichever worker sums which run of leaves beforehand", () => {
    fc.assert(
      fc.property(anyLeaves, fc.array(fc.nat(32)), (leaves, cuts) => {
        const numLeaves = leaves.length;
        const ends = [...new Set(cuts.map((cut) => cut % numLeaves)), numLeaves].sort(
          (a, b) => a - b,
        );
        // Each worker uploads the sums of the largest nodes in its run ...
        const uploads = new Map<number, Map<number, Float32Array>>();
        let first = 0;
        for (const end of ends) {
          for (const node of nodesCovering(first, end - first)) {
            const below = leaves.slice(node.firstLeaf, node.firstLeaf + node.numLeaves);
            const ofSize = uploads.get(node.numLeaves) ?? new Map<number, Float32Array>();
            uploads.set(node.numLeaves, ofSize.set(node.firstLeaf, sumLeavesInTreeOrder(below)));
          }
          first = end;
        }
        // ... and the coordinator pairs them from the leaves up.
        for (let size = 1; size < numLeaves; size *= 2) {
          const above = uploads.get(size * 2) ?? new Map<number, Float32Array>();
          for (const [at, left] of uploads.get(size) ?? []) {
            if (at % (size * 2) !== 0) continue;
            const out = new Float32Array(left.length);
            treeAdd(left, uploads.get(size)!.get(at + size)!, out);
            above.set(at, out);
          }
          uploads.set(size * 2, above);
        }
        const root = uploads.get(numLeaves)!.get(0)!;
        expect(bits(root)).toEqual(bits(sumLeavesInTreeOrder(leaves)));
      }),
    );
  });

  it("changes no leaf and returns none", () => {
    fc.assert(
      fc.property(anyLeaves, (leaves) => {
        const before = leaves.map(bits);
        const sum = sumLeavesInTreeOrder(leaves);
        sum.fill(7);
        expect(leaves.map(bits)).toEqual(before);
      }),
    );
  });

  it.each([0, 3, 6])("refuses %i leaves", (count) => {
    const leaves = Array.from({ length: count }, () => new Float32Array(1));
    expect(() => sumLeavesInTreeOrder(leaves)).toThrow(
      new RangeError(`${count} leaves have no binary tree; a power of two has`),
    );
  });

  it("refuses leaves of different lengths", () => {
    expect(() => sumLeavesInTreeOrder([new Float32Array(2), new Float32Array(3)])).toThrow(
      RangeError,
    );
  });
});
