/** Gradients at nodes of the gradient tree, as a worker computes them, flat in the model's layout. */
import { sumLeavesInTreeOrder } from "@ostinato/kernels";
import type { LeafSpan } from "@ostinato/kernels/tensor";
import { expect } from "vitest";

import type { ParameterLayout } from "../../src/index.js";
import type { OnGradient, WantedNodes } from "../../src/model/index.js";
import { bitsOf } from "../language-models.js";

/** What a model is told besides its batch. */
export interface NodesCall {
  readonly onGradient: OnGradient;
  readonly nodes?: WantedNodes | undefined;
}

/** Computes the gradients of one batch at the wanted nodes. */
export type ComputeAt<Outcomes> = (call: NodesCall) => Outcomes;

/**
 * @param numNodes how many nodes, or leaves where none are wanted, the batch has.
 * @returns the gradients [node][parameter], and what the computation returns.
 */
export function flatGradients<Outcomes>(
  layout: ParameterLayout,
  numNodes: number,
  compute: ComputeAt<Outcomes>,
  nodes?: WantedNodes,
): { readonly gradients: readonly Float32Array[]; readonly outcomes: Outcomes } {
  const gradients = Array.from({ length: numNodes }, () => new Float32Array(layout.size));
  const offsets = new Map(layout.tensors.map(({ name, offset }) => [name, offset]));
  const onGradient: OnGradient = (name, perNode) => {
    expect(perNode, name).toHaveLength(numNodes);
    for (const [node, values] of perNode.entries()) gradients[node]!.set(values, offsets.get(name));
  };
  return { gradients, outcomes: compute({ onGradient, nodes }) };
}

/** One way to hold the leaves of a batch: what is asked for, and the nodes that it means. */
export interface Division {
  readonly nodes: WantedNodes;
  readonly spans: readonly LeafSpan[];
}

/**
 * Divisions of a batch's leaves into nodes: the widest that there are room for, from the first leaf and
 * from the second on; with "root" where one node holds them all.
 */
export function divisionsOf(numLeaves: number): readonly Division[] {
  const [whole, later] = [widestSpans(0, numLeaves), widestSpans(1, numLeaves)];
  const shifted = [{ first: 0, count: 1 }, ...later];
  const nodes = whole.length === 1 ? ("root" as const) : whole;
  return [
    { nodes, spans: whole },
    { nodes: shifted, spans: shifted },
  ];
}

function widestSpans(first: number, end: number): readonly LeafSpan[] {
  const room = end - first;
  if (room <= 0) return [];
  const count = 2 ** Math.floor(Math.log2(room));
  return [{ first, count }, ...widestSpans(first + count, end)];
}

/**
 * What the model sums to a division's nodes is, bit for bit, the sum of the leaves' own gradients along the
 * gradient tree.
 *
 * @param perLeaf gradients of each leaf by itself.
 */
export function expectNodeSums(
  layout: ParameterLayout,
  perLeaf: readonly Float32Array[],
  { nodes, spans }: Division,
  compute: ComputeAt<unknown>,
): void {
  const { gradients } = flatGradients(layout, spans.length, compute, nodes);
  const sums = spans.map(({ first, count }) =>
    sumLeavesInTreeOrder(perLeaf.slice(first, first + count)),
  );
  expect(gradients.map(bitsOf)).toEqual(sums.map(bitsOf));
}
