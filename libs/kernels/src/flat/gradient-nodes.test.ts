import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  childrenOf,
  isNodeOf,
  nodeContains,
  nodesCovering,
  parentOf,
  siblingOf,
} from "./gradient-nodes.js";
import type { NodeId } from "./gradient-nodes.js";

const node = (firstLeaf: number, numLeaves: number): NodeId => ({ firstLeaf, numLeaves });

/** A node of a tree of 2^height leaves. */
const anyNode = fc
  .record({ height: fc.nat(12), level: fc.nat(12), at: fc.nat() })
  .map(({ height, level, at }) => {
    const treeLeaves = 2 ** height;
    const numLeaves = 2 ** Math.min(level, height);
    return { treeLeaves, node: node((at % (treeLeaves / numLeaves)) * numLeaves, numLeaves) };
  });

describe("isNodeOf", () => {
  it.each([node(0, 8), node(4, 4), node(6, 2), node(7, 1)])("accepts %o of 8 leaves", (given) => {
    expect(isNodeOf(given, 8)).toBe(true);
  });

  it.each([
    ["a number of leaves that is no power of two", node(0, 3), 8],
    ["no leaves", node(0, 0), 8],
    ["a start that is no multiple of its leaves", node(2, 4), 8],
    ["a start beyond the tree", node(8, 1), 8],
    ["more leaves than the tree has", node(0, 16), 8],
    ["a negative start", node(-4, 4), 8],
    ["a fraction", node(0.5, 1), 8],
    ["what is no number", node(NaN, 1), 8],
    ["a tree whose leaves are no power of two", node(0, 1), 6],
    ["numbers past 32 bits", node(2 ** 32, 1), 2 ** 33],
  ])("refuses %s", (_title, given, treeLeaves) => {
    expect(isNodeOf(given, treeLeaves)).toBe(false);
  });
});

describe("parents, children and siblings", () => {
  //        0..7
  //    0..3     4..7
  //  0,1  2,3  4,5  6,7
  it("are those of the binary tree", () => {
    expect(parentOf(node(6, 1))).toEqual(node(6, 2));
    expect(parentOf(node(6, 2))).toEqual(node(4, 4));
    expect(parentOf(node(4, 4))).toEqual(node(0, 8));
    expect(childrenOf(node(4, 4))).toEqual([node(4, 2), node(6, 2)]);
    expect(siblingOf(node(4, 2), 8)).toEqual(node(6, 2));
    expect(siblingOf(node(6, 2), 8)).toEqual(node(4, 2));
    expect(siblingOf(node(0, 8), 8)).toBeUndefined();
  });

  it("fit each other for every node", () => {
    fc.assert(
      fc.property(anyNode, ({ node: given, treeLeaves }) => {
        const sibling = siblingOf(given, treeLeaves);
        if (sibling === undefined) {
          expect(given).toEqual(node(0, treeLeaves));
          return;
        }
        expect(isNodeOf(sibling, treeLeaves)).toBe(true);
        expect(parentOf(sibling)).toEqual(parentOf(given));
        expect(siblingOf(sibling, treeLeaves)).toEqual(given);
        const children = childrenOf(parentOf(given));
        expect(children).toContainEqual(given);
        expect(children).toContainEqual(sibling);
        expect(nodeContains(given, sibling)).toBe(false);
        expect(nodeContains(parentOf(given), given)).toBe(true);
        expect(nodeContains(given, parentOf(given))).toBe(false);
      }),
    );
  });

  it("are not had by what is no node", () => {
    expect(() => parentOf(node(1, 2))).toThrow(
      new RangeError(
        "2 leaves from leaf 1 on are no node of a tree of 1073741824 leaves; " +
          "a node has a power of two of leaves and starts at a multiple of it",
      ),
    );
    expect(() => childrenOf(node(5, 1))).toThrow(new RangeError("leaf 5 has no children"));
    expect(() => siblingOf(node(0, 16), 8)).toThrow(RangeError);
  });
});

describe("nodesCovering", () => {
  it("takes the largest nodes within the run", () => {
    // 3..9 of 16: 3 alone, then 4..7 whole, then 8 and 9.
    expect(nodesCovering(3, 7)).toEqual([node(3, 1), node(4, 4), node(8, 2)]);
    expect(nodesCovering(0, 16)).toEqual([node(0, 16)]);
    expect(nodesCovering(0, 6)).toEqual([node(0, 4), node(4, 2)]);
    expect(nodesCovering(5, 0)).toEqual([]);
  });

  it("covers every leaf of any run once, with nodes that could not be larger", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), (first, count) => {
        const run = node(first, count);
        const nodes = nodesCovering(first, count);
        const leaves = nodes.flatMap(({ firstLeaf, numLeaves }) =>
          Array.from({ length: numLeaves }, (_, i) => firstLeaf + i),
        );
        expect(leaves).toEqual(Array.from({ length: count }, (_, i) => first + i));
        for (const given of nodes) {
          expect(isNodeOf(given, 1024)).toBe(true);
          expect(nodeContains(run, parentOf(given))).toBe(false);
        }
      }),
    );
  });

  it("refuses a run that no tree holds", () => {
    expect(() => nodesCovering(-1, 2)).toThrow(
      new RangeError(
        "2 leaves from leaf -1 on are no run of leaves; leaves are numbered from 0 to 1073741823",
      ),
    );
    expect(() => nodesCovering(0, 1.5)).toThrow(RangeError);
    expect(() => nodesCovering(2 ** 30, 1)).toThrow(RangeError);
  });
});
