/**
 * Results that are not finite, until it is known whose fault they are.
 *
 * The same bits from a second worker (or from a second try, if there is one worker alone) mean that
 * the run itself produces them; other bits mean that the machine is to blame. Either way the same
 * node is computed a bounded number of times.
 */

import type { NodeId } from "@ostinato/proto";

export interface NonFiniteResult {
  readonly node: NodeId;
  readonly workerId: string;
  /** Equal for equal results. */
  readonly fingerprint: number;
  readonly detail: string;
}

export type Verdict =
  /** Compute the node once more, on another worker if there is one. */
  | { readonly kind: "retry"; readonly node: NodeId; readonly notBy: string }
  /** Reproduced bit for bit: the run's own fault. */
  | { readonly kind: "confirmed"; readonly node: NodeId; readonly detail: string }
  /** Different bits each time: no machine here can be trusted with it. */
  | { readonly kind: "irreproducible"; readonly node: NodeId; readonly detail: string };

const MAX_TRIES = 4;

const keyOf = (node: NodeId): string => `${node.firstLeaf}+${node.numLeaves}`;

export class Suspects {
  readonly #results = new Map<string, NonFiniteResult[]>();

  /** @param isAlone whether no other worker could have computed it */
  report(result: NonFiniteResult, isAlone: boolean): Verdict {
    const key = keyOf(result.node);
    const before = this.#results.get(key) ?? [];
    this.#results.set(key, [...before, result]);
    const same = before.find(
      (other) =>
        other.fingerprint === result.fingerprint && (other.workerId !== result.workerId || isAlone),
    );
    const { node, detail } = result;
    if (same !== undefined) return { kind: "confirmed", node, detail };
    if (before.length + 1 >= MAX_TRIES) {
      // Nobody else would try it, but it is the same each time.
      const isSame = before.every(({ fingerprint }) => fingerprint === result.fingerprint);
      return { kind: isSame ? "confirmed" : "irreproducible", node, detail };
    }
    return { kind: "retry", node, notBy: result.workerId };
  }

  /** Those whose result for this node was not finite, once it turned out finite elsewhere. */
  cleared(node: NodeId): readonly NonFiniteResult[] {
    const results = this.#results.get(keyOf(node)) ?? [];
    this.#results.delete(keyOf(node));
    return results;
  }
}
