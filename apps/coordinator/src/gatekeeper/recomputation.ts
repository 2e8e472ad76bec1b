/** A node computed once more: its leaves as they come in, added up to the node again. */

import type { LeafResult, NodeId } from "@ostinato/proto";
import type { CompleteUpload, TreeModules } from "../steps/index.js";
import { GradientTree } from "../steps/index.js";
import type { NodeNorm } from "./norm-reference.js";

/** The parts are summed along the tree: the same bits as the node in one piece. */
export class Recomputation {
  readonly node: NodeId;
  readonly workerId: string;
  readonly fence: number;
  readonly #tree: GradientTree;
  readonly #parts: CompleteUpload[] = [];

  constructor(
    options: { readonly node: NodeId; readonly workerId: string; readonly fence: number },
    modules: TreeModules,
  ) {
    this.node = options.node;
    this.workerId = options.workerId;
    this.fence = options.fence;
    this.#tree = new GradientTree(this.node.numLeaves, modules);
  }

  /** Takes the part's buffer over. */
  add(part: CompleteUpload): void {
    const { firstLeaf, numLeaves } = part.node;
    const place = { firstLeaf: firstLeaf - this.node.firstLeaf, numLeaves };
    if (this.#tree.admit(place, part.gradient) === "admitted") this.#parts.push(part);
  }

  get isComplete(): boolean {
    return this.#tree.isRootComplete;
  }

  /** The norm of each part, of one leaf as a rule. */
  get parts(): readonly { readonly node: NodeId; readonly size: NodeNorm }[] {
    return this.#parts.map((part) => ({ node: part.node, size: sizeOf(part) }));
  }

  /** The node in one piece; whoever takes it owns its buffer. */
  async take(): Promise<CompleteUpload> {
    const leaves = this.#parts.flatMap((part) => part.leaves);
    return {
      node: this.node,
      gradient: await this.#tree.takeRoot(),
      norm: NaN, // of the sum it is not known, nor asked for
      leaves: leaves.sort((a: LeafResult, b: LeafResult) => a.leaf - b.leaf),
      states: new Map(this.#parts.flatMap((part) => [...part.states])),
      moments: new Map(this.#parts.flatMap((part) => [...part.moments])),
    };
  }

  /** Gives the buffers back. */
  async discard(): Promise<void> {
    await this.#tree.discard();
  }
}

export function sizeOf({ norm, leaves }: CompleteUpload): NodeNorm {
  return { norm, weight: leaves.reduce((sum, { lossWeight }) => sum + lossWeight, 0) };
}
