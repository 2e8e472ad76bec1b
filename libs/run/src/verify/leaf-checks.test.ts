import { describe, expect, it } from "vitest";

import { checkNodes, checkSums } from "./leaf-checks.js";
import { Problems } from "./problems.js";

const node = (first: number, count: number) => ({ first, count, worker: "w", fence: 1 });

function problemsOfNodes(
  nodes: readonly ReturnType<typeof node>[],
  roundedLeaves?: number,
): string[] {
  const problems = new Problems();
  checkNodes(nodes, { place: "step 1", numLeaves: 8, roundedLeaves, problems });
  return problems.lines;
}

describe("checkNodes", () => {
  it.each([
    [[node(0, 8)]],
    [[node(4, 4), node(0, 4)]],
    [[node(0, 1), node(1, 1), node(2, 2), node(4, 4)]],
  ])("accepts nodes that cover each leaf once, in any order", (nodes) => {
    expect(problemsOfNodes(nodes)).toEqual([]);
  });

  it("names leaves that no node has, at the start, between and at the end", () => {
    expect(problemsOfNodes([node(2, 2), node(6, 1)])).toEqual([
      "step 1: no node has the leaves 0 to 1",
      "step 1: no node has the leaves 4 to 5",
      "step 1: no node has the leaves 7 to 7",
    ]);
    expect(problemsOfNodes([])).toEqual(["step 1: no node has the leaves 0 to 7"]);
  });

  it("names nodes within other nodes, and takes no leaf for missing", () => {
    expect(problemsOfNodes([node(0, 4), node(0, 1), node(4, 4)])).toEqual([
      "step 1, node of leaves 0 to 0 (w): has leaves that another node has too",
    ]);
  });

  it("names nodes that the tree does not have", () => {
    expect(problemsOfNodes([node(0, 3), node(3, 1), node(4, 4)])).toEqual([
      "step 1, node of leaves 0 to 2 (w): is no node of the gradient tree",
    ]);
    expect(problemsOfNodes([node(0, 16)])).toEqual(["step 1: the nodes have 16 leaves, not 8"]);
  });
});

describe("checkNodes of rounded gradients", () => {
  it("accepts nodes of the one level that is rounded", () => {
    expect(problemsOfNodes([node(0, 2), node(2, 2), node(4, 2), node(6, 2)], 2)).toEqual([]);
  });

  it("names nodes of other levels: sums of which other values were rounded", () => {
    expect(problemsOfNodes([node(0, 4), node(4, 2), node(6, 1), node(7, 1)], 2)).toEqual([
      "step 1, node of leaves 0 to 3 (w): is none of those that are rounded, which have 2 leaves each",
      "step 1, node of leaves 6 to 6 (w): is none of those that are rounded, which have 2 leaves each",
      "step 1, node of leaves 7 to 7 (w): is none of those that are rounded, which have 2 leaves each",
    ]);
  });
});

describe("checkSums", () => {
  // Ascending: (0.1 + 0.2) + 0.3 = 0.6000000000000001; the other way round it is 0.6.
  const leaves = [0.3, 0.2, 0.1].map((loss, i) => ({
    leaf: 2 - i,
    samples: 1,
    weight: 1,
    loss,
    digest: "",
  }));

  function problemsOf(lossSum: number | null, loss: number | null): string[] {
    const problems = new Problems();
    checkSums({ samples: 3, lossSum, lossWeight: 3, loss }, leaves, "step 1", problems);
    return problems.lines;
  }

  it("adds in ascending order of the leaves, to the bit", () => {
    expect(problemsOf(0.6000000000000001, 0.6000000000000001 / 3)).toEqual([]);
    expect(problemsOf(0.6, 0.6 / 3)).toEqual(["step 1: lossSum is 0.6, not 0.6000000000000001"]);
  });

  it("wants a loss that is the sum over the weight", () => {
    expect(problemsOf(0.6000000000000001, 0.3)).toEqual([
      `step 1: loss is 0.3, not ${0.6000000000000001 / 3}`,
    ]);
    expect(problemsOf(null, null)).toEqual(["step 1: lossSum is null, not 0.6000000000000001"]);
  });

  it("wants no loss where no target counts", () => {
    const none = leaves.map((leaf) => ({ ...leaf, weight: 0, loss: 0 }));
    const problemsWith = (loss: number | null): string[] => {
      const problems = new Problems();
      checkSums({ samples: 3, lossSum: 0, lossWeight: 0, loss }, none, "step 1", problems);
      return problems.lines;
    };
    expect(problemsWith(null)).toEqual([]);
    expect(problemsWith(0)).toEqual(["step 1: loss is 0, not null"]);
  });

  it("asks for no sum of losses that were not finite", () => {
    const problems = new Problems();
    const lost = leaves.map((leaf) => ({ ...leaf, loss: leaf.leaf === 1 ? null : leaf.loss }));
    const sums = { samples: 3, lossSum: null, lossWeight: 3, loss: null };
    checkSums(sums, lost, "step 1", problems);
    expect(problems.lines).toEqual([]);
  });
});
