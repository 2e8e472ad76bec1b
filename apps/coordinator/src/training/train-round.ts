/** The collection of one step's gradients: which leaves are in, from whom, and their sum so far. */

import { nodeContains } from "@ostinato/kernels";
import type { LeafResult, NodeId } from "@ostinato/proto";
import type { LeaseRecord, LeaseSamples, LostLease } from "../leases/index.js";
import { LeaseTable } from "../leases/index.js";
import type { CompleteUpload, ParameterVersion } from "../steps/index.js";
import type { GradientTree } from "../steps/index.js";
import type { PlannedStep } from "./plan.js";

export const leavesOf = (node: NodeId): number[] =>
  Array.from({ length: node.numLeaves }, (_, i) => node.firstLeaf + i);

const ascending = (a: number, b: number): number => a - b;

export interface AdmittedNode {
  readonly node: NodeId;
  readonly workerId: string;
  readonly fence: number;
}

export interface TrainRoundOptions {
  readonly planned: PlannedStep;
  readonly version: ParameterVersion;
  readonly numLeaves: number;
  readonly firstFence: number;
  readonly tree: GradientTree;
}

export class TrainRound {
  readonly kind = "train";
  readonly planned: PlannedStep;
  readonly version: ParameterVersion;
  readonly leases: LeaseTable;
  readonly tree: GradientTree;
  readonly lost: LostLease[] = [];
  readonly #results = new Map<number, LeafResult>();
  readonly #states = new Map<number, Float32Array>();
  readonly #moments = new Map<number, Float64Array>();
  readonly #heldLeaves = new Set<number>();
  /** By leaf, of results that are in the tree or held. */
  readonly #numSamples = new Map<number, number>();
  #nodes: AdmittedNode[] = [];

  constructor(options: TrainRoundOptions) {
    this.planned = options.planned;
    this.version = options.version;
    this.leases = new LeaseTable(options.numLeaves, options.firstFence);
    this.tree = options.tree;
  }

  /** The step whose gradients these are: what a lease and an upload name. */
  get step(): number {
    return this.planned.step;
  }

  get isComplete(): boolean {
    return this.tree.isRootComplete;
  }

  /** Whether there is a result of the node already, in the tree or held before it. */
  isTaken(node: NodeId): boolean {
    return this.tree.isComplete(node) || leavesOf(node).some((leaf) => this.#heldLeaves.has(leaf));
  }

  /**
   * There is a result of these leaves, which is not admitted yet: nobody need compute them for now.
   *
   * @returns the leases that this completes
   */
  hold({ leaves }: Pick<CompleteUpload, "leaves">, fence: number): readonly LeaseRecord[] {
    for (const { leaf, numSamples } of leaves) {
      this.#heldLeaves.add(leaf);
      this.#numSamples.set(leaf, numSamples);
    }
    return this.leases.complete(
      leaves.map(({ leaf }) => leaf),
      fence,
    );
  }

  /** Samples of the leaves that a lease has or had, of which there is a result by now. */
  samplesOf({ leaves, delivered }: LeaseRecord): LeaseSamples {
    const sum = (of: ReadonlySet<number>): number =>
      [...of].reduce((total, leaf) => total + (this.#numSamples.get(leaf) ?? 0), 0);
    // What it delivered is no longer among its leaves where that was taken out again.
    return { own: sum(delivered), all: sum(new Set([...leaves, ...delivered])) };
  }

  /**
   * A whole, checked upload. It supersedes what was admitted below its node: same bits.
   *
   * @returns the leases that it completes
   */
  admit(
    upload: CompleteUpload,
    workerId: string,
    fence: number,
  ): readonly LeaseRecord[] | "duplicate" {
    if (this.tree.admit(upload.node, upload.gradient) === "duplicate") return "duplicate";
    this.#nodes = this.#nodes.filter(({ node }) => !nodeContains(upload.node, node));
    this.#nodes.push({ node: upload.node, workerId, fence });
    for (const result of upload.leaves) {
      this.#results.set(result.leaf, result);
      this.#numSamples.set(result.leaf, result.numSamples);
      this.#heldLeaves.delete(result.leaf);
    }
    for (const [leaf, state] of upload.states) this.#states.set(leaf, state);
    for (const [leaf, moments] of upload.moments) this.#moments.set(leaf, moments);
    return this.leases.complete(
      upload.leaves.map((result) => result.leaf),
      fence,
    );
  }

  /**
   * Nothing that this worker sent counts any more. It is taken out of the sums, and with it what others have in
   * the same ones: all of these leaves are free.
   *
   * @param held its results that were not admitted yet
   * @returns the leaves of the worker's, and those of others
   */
  expel(
    workerId: string,
    held: readonly AdmittedNode[],
  ): { readonly own: readonly number[]; readonly others: readonly number[] } {
    const isOwn = (admitted: AdmittedNode): boolean => admitted.workerId === workerId;
    const sums = this.#nodes.filter(isOwn).flatMap(({ node }) => this.tree.remove(node) ?? []);
    const summed = new Set(sums.flatMap(leavesOf));
    const dropped = this.#nodes.filter(({ node }) => summed.has(node.firstLeaf));
    this.#nodes = this.#nodes.filter(({ node }) => !summed.has(node.firstLeaf));
    const parts = {
      own: [...dropped.filter(isOwn), ...held],
      others: dropped.filter((each) => !isOwn(each)),
    };
    for (const { node, workerId: worker, fence } of [...parts.own, ...parts.others]) {
      const reason =
        worker === workerId
          ? "what a quarantined worker computed does not count"
          : `in a sum with what ${workerId} computed, which is quarantined`;
      this.lost.push({ worker, fence, leaves: leavesOf(node), reason });
    }
    const own = parts.own.flatMap(({ node }) => leavesOf(node)).sort(ascending);
    const others = parts.others.flatMap(({ node }) => leavesOf(node)).sort(ascending);
    this.leases.expel(workerId);
    this.#forget([...own, ...others], held);
    return { own, others };
  }

  /** The opposite of `hold`: its leaves are free again. */
  drop({ node, workerId, fence }: AdmittedNode, reason: string): void {
    const leaves = leavesOf(node);
    this.lost.push({ worker: workerId, fence, leaves, reason });
    this.#forget(leaves, [{ node }]);
  }

  /**
   * These results of the leaves are gone. Of a leaf in a node that was held the tree may have another one, and
   * of a leaf that was in the tree another one may be held: that one stands.
   *
   * @param held those that were not admitted yet
   */
  #forget(leaves: readonly number[], held: readonly Pick<AdmittedNode, "node">[]): void {
    for (const leaf of held.flatMap(({ node }) => leavesOf(node))) this.#heldLeaves.delete(leaf);
    const outside = leaves.filter(
      (firstLeaf) => !this.tree.isComplete({ firstLeaf, numLeaves: 1 }),
    );
    for (const leaf of outside) {
      this.#results.delete(leaf);
      this.#states.delete(leaf);
      this.#moments.delete(leaf);
    }
    const gone = outside.filter((leaf) => !this.#heldLeaves.has(leaf));
    for (const leaf of gone) this.#numSamples.delete(leaf);
    this.leases.reopen(gone);
  }

  /** What was admitted, ascending by leaf. */
  nodes(): readonly AdmittedNode[] {
    return [...this.#nodes].sort((a, b) => a.node.firstLeaf - b.node.firstLeaf);
  }

  results(): readonly LeafResult[] {
    return [...this.#results.values()].sort((a, b) => a.leaf - b.leaf);
  }

  /** The carried states that replace the old ones at commit. */
  states(): ReadonlyMap<number, Float32Array> {
    return this.#states;
  }

  /** Flat, of every leaf, ascending: what the running statistics take in at commit. */
  moments(): readonly Float64Array[] {
    return [...this.#moments].sort(([a], [b]) => a - b).map(([, moments]) => moments);
  }
}
