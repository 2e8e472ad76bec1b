/** The evaluation of one split at one parameter version: read-only leases, sums in leaf order. */

import type { LeafResult } from "@ostinato/proto";
import { LeaseTable } from "../leases/index.js";
import type { LeaseRecord, LostLease } from "../leases/index.js";
import type { ParameterVersion } from "../steps/index.js";

export interface EvaluationRoundOptions {
  readonly split: "train" | "validation" | "test";
  /** The step after which the evaluation takes place. */
  readonly step: number;
  readonly version: ParameterVersion;
  readonly numLeaves: number;
  readonly firstFence: number;
}

export interface EvaluatedLeaf extends LeafResult {
  readonly workerId: string;
}

export class EvaluationRound {
  readonly kind = "evaluate";
  readonly split: EvaluationRoundOptions["split"];
  readonly step: number;
  readonly version: ParameterVersion;
  readonly leases: LeaseTable;
  readonly lost: LostLease[] = [];
  readonly #results = new Map<number, EvaluatedLeaf>();

  constructor(options: EvaluationRoundOptions) {
    this.split = options.split;
    this.step = options.step;
    this.version = options.version;
    this.leases = new LeaseTable(options.numLeaves, options.firstFence);
  }

  get isComplete(): boolean {
    return this.leases.isComplete;
  }

  /** @returns the leases that these results complete */
  admit(results: readonly LeafResult[], workerId: string, fence: number): readonly LeaseRecord[] {
    for (const result of results) {
      if (!this.#results.has(result.leaf)) this.#results.set(result.leaf, { ...result, workerId });
    }
    return this.leases.complete(
      results.map((result) => result.leaf),
      fence,
    );
  }

  results(): readonly EvaluatedLeaf[] {
    return [...this.#results.values()].sort((a, b) => a.leaf - b.leaf);
  }
}
