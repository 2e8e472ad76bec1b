/** The fixed binary tree over the leaves of one step, filled in whatever order uploads arrive. */

import { childrenOf, nodeContains, parentOf, siblingOf } from "@ostinato/kernels";
import type { NodeId } from "@ostinato/kernels";

export interface TreeModules {
  /** Adds `other` to `into`, float32; calls run in the order made. */
  readonly add: (into: Float32Array, other: Float32Array) => Promise<void>;
  /** Takes back a buffer that the tree no longer reads. */
  readonly release: (buffer: Float32Array) => void;
}

const keyOf = (node: NodeId): string => `${node.firstLeaf}+${node.numLeaves}`;

/**
 * Sums node gradients upward as soon as both children of a node are there.
 *
 * The sum's association depends on the tree alone, never on who computed what or on the order of
 * arrival: a node uploaded whole has the same bits as the sum of its parts (design: one batch of
 * k leaves equals the tree sum of k separate leaves).
 */
export class GradientTree {
  readonly #numLeaves: number;
  readonly #modules: TreeModules;
  /** The maximal complete nodes, each with its sum (or the buffer that is becoming its sum). */
  readonly #held = new Map<string, { readonly node: NodeId; readonly buffer: Float32Array }>();
  #pending: Promise<void> = Promise.resolve();

  constructor(numLeaves: number, modules: TreeModules) {
    this.#numLeaves = numLeaves;
    this.#modules = modules;
  }

  isComplete(node: NodeId): boolean {
    for (const held of this.#held.values()) {
      if (nodeContains(held.node, node)) return true;
    }
    return false;
  }

  get isRootComplete(): boolean {
    return this.isComplete({ firstLeaf: 0, numLeaves: this.#numLeaves });
  }

  /** Takes the buffer over. A node that is complete already is a duplicate: nothing changes. */
  admit(node: NodeId, buffer: Float32Array): "admitted" | "duplicate" {
    if (this.isComplete(node)) {
      this.#modules.release(buffer);
      return "duplicate";
    }
    for (const [key, held] of this.#held) {
      if (!nodeContains(node, held.node)) continue;
      this.#held.delete(key);
      this.#releaseAfterPending(held.buffer);
    }
    let current = { node, buffer };
    for (;;) {
      const sibling = siblingOf(current.node, this.#numLeaves);
      const other = sibling === undefined ? undefined : this.#held.get(keyOf(sibling));
      if (other === undefined) break;
      this.#held.delete(keyOf(other.node));
      const parent = parentOf(current.node);
      const [leftNode] = childrenOf(parent);
      const [left, right] =
        leftNode.firstLeaf === current.node.firstLeaf ? [current, other] : [other, current];
      this.#pending = this.#pending.then(() => this.#modules.add(left.buffer, right.buffer));
      // A failure is for whoever waits for the root; before that nobody listens.
      this.#pending.catch(() => undefined);
      this.#releaseAfterPending(right.buffer);
      current = { node: parent, buffer: left.buffer };
    }
    this.#held.set(keyOf(current.node), current);
    return "admitted";
  }

  /**
   * Takes out the sum that this node is a part of, and with it all else in that sum: it can't be taken apart.
   *
   * @returns the node whose sum it was; undefined where this one is not complete
   */
  remove(node: NodeId): NodeId | undefined {
    for (const [key, held] of this.#held) {
      if (!nodeContains(held.node, node)) continue;
      this.#held.delete(key);
      this.#releaseAfterPending(held.buffer);
      return held.node;
    }
    return undefined;
  }

  /** The root's sum, when every leaf is in. The caller owns the buffer from here on. */
  async takeRoot(): Promise<Float32Array> {
    const key = keyOf({ firstLeaf: 0, numLeaves: this.#numLeaves });
    const root = this.#held.get(key);
    if (root === undefined) throw new RangeError("the gradient tree is not complete");
    this.#held.delete(key);
    await this.#pending;
    return root.buffer;
  }

  /** Gives every buffer back; the tree is empty afterwards. */
  async discard(): Promise<void> {
    for (const held of this.#held.values()) this.#releaseAfterPending(held.buffer);
    this.#held.clear();
    await this.#pending;
  }

  #releaseAfterPending(buffer: Float32Array): void {
    this.#pending = this.#pending.then(() => {
      this.#modules.release(buffer);
    });
    this.#pending.catch(() => undefined);
  }
}
