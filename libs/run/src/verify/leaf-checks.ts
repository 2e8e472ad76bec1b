/** The leaves of one record against the data: each there once, with the samples that are its own. */

import type { EvaluationRecord, StepRecord } from "../ledger/index.js";
import type { Problems } from "./problems.js";
import type { ExpectedSamples } from "./run-data.js";

type Leaf = StepRecord["leaves"][number];
type Sums = Pick<StepRecord | EvaluationRecord, "samples" | "lossSum" | "lossWeight" | "loss">;

export interface LeafCheckOptions {
  /** The record's line and what it is, such as `ledger.jsonl:9: step 7`. */
  readonly place: string;
  readonly numLeaves: number;
  /** By leaf; undefined if the data could not be read. */
  readonly expected: readonly ExpectedSamples[] | undefined;
  readonly workerOf: (leaf: number) => string;
  readonly problems: Problems;
}

/** Each leaf exactly once, each with the samples that the layout gives it. */
export function checkLeaves(leaves: readonly Leaf[], options: LeafCheckOptions): void {
  const { place, numLeaves, expected, problems } = options;
  const counts = new Map<number, number>();
  for (const { leaf } of leaves) counts.set(leaf, (counts.get(leaf) ?? 0) + 1);
  for (let leaf = 0; leaf < numLeaves; leaf++) {
    const count = counts.get(leaf) ?? 0;
    if (count === 0) problems.add(place, `leaf ${leaf} is missing`);
    if (count > 1) problems.add(place, `leaf ${leaf} counts ${count} times`);
  }
  for (const entry of leaves) {
    const where = `${place}, leaf ${entry.leaf} (${options.workerOf(entry.leaf)})`;
    if (entry.leaf >= numLeaves) {
      problems.add(where, `there are leaves 0 to ${numLeaves - 1} only`);
    } else if (expected !== undefined) {
      checkSamples(entry, expected, where, problems);
    }
  }
}

function checkSamples(
  entry: Leaf,
  expected: readonly ExpectedSamples[],
  where: string,
  problems: Problems,
): void {
  const own = expected[entry.leaf];
  if (own === undefined) return;
  problems.compare(where, "the number of samples", entry.samples, own.numSamples);
  problems.compare(where, "the loss weight", entry.weight, own.lossWeight);
  if (entry.digest === own.digest) return;
  const other = expected.findIndex(({ digest }) => digest === entry.digest);
  const what = other === -1 ? "other samples than its own" : `the samples of leaf ${other}`;
  problems.add(where, `computed ${what} (digest ${entry.digest}, not ${own.digest})`);
}

/** The sums of a record are those of its leaves, in ascending order, to the bit. */
export function checkSums(
  record: Sums,
  leaves: readonly Leaf[],
  place: string,
  problems: Problems,
): void {
  const ascending = leaves.toSorted((a, b) => a.leaf - b.leaf);
  const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);
  problems.compare(place, "samples", record.samples, sum(ascending.map((leaf) => leaf.samples)));
  const weight = sum(ascending.map((leaf) => leaf.weight));
  problems.compare(place, "lossWeight", record.lossWeight, weight);
  const losses = ascending.flatMap(({ loss }) => loss ?? []);
  if (losses.length < ascending.length) return;
  problems.compare(place, "lossSum", record.lossSum, sum(losses));
  if (record.lossSum === null) return;
  const loss = record.lossWeight > 0 ? record.lossSum / record.lossWeight : null;
  problems.compare(place, "loss", record.loss, loss);
}

export interface NodeCheckOptions {
  readonly place: string;
  readonly numLeaves: number;
  /** Leaves of each node where gradients are rounded; undefined: any node serves. */
  readonly roundedLeaves: number | undefined;
  readonly problems: Problems;
}

/** The nodes are ones of the gradient tree, and each leaf is under exactly one of them. */
export function checkNodes(nodes: StepRecord["nodes"], options: NodeCheckOptions): void {
  const { place, numLeaves, roundedLeaves, problems } = options;
  let next = 0;
  for (const { first, count, worker } of nodes.toSorted((a, b) => a.first - b.first)) {
    const where = `${place}, node of leaves ${first} to ${first + count - 1} (${worker})`;
    if (!Number.isInteger(Math.log2(count)) || first % count !== 0) {
      problems.add(where, "is no node of the gradient tree");
    } else if (roundedLeaves !== undefined && count !== roundedLeaves) {
      problems.add(
        where,
        `is none of those that are rounded, which have ${roundedLeaves} leaves each`,
      );
    }
    if (first > next) problems.add(place, `no node has the leaves ${next} to ${first - 1}`);
    if (first < next) problems.add(where, "has leaves that another node has too");
    next = Math.max(next, first + count);
  }
  if (next < numLeaves) problems.add(place, `no node has the leaves ${next} to ${numLeaves - 1}`);
  if (next > numLeaves) problems.add(place, `the nodes have ${next} leaves, not ${numLeaves}`);
}

/** A skipped step holds nothing of what was computed for it: which part of that was in is chance. */
export function checkSkipped(record: StepRecord, place: string, problems: Problems): void {
  const values = {
    nodes: record.nodes.length,
    leaves: record.leaves.length,
    samples: record.samples,
    lossSum: record.lossSum,
    lossWeight: record.lossWeight,
    loss: record.loss,
    gradientNorm: record.gradientNorm,
    clipped: record.clipped,
  };
  const empty: Readonly<Record<keyof typeof values, unknown>> = {
    ...{ nodes: 0, leaves: 0, samples: 0, lossWeight: 0 },
    ...{ lossSum: null, loss: null, gradientNorm: null, clipped: false },
  };
  for (const [name, value] of Object.entries(values)) {
    const what = name === "nodes" || name === "leaves" ? `the number of ${name}` : name;
    problems.compare(`${place}, skipped`, what, value, empty[name as keyof typeof values]);
  }
}
