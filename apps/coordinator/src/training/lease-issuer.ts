/** Makes a lease of leaves and sends it off, with what its worker lacks to compute them. */

import type { Lease } from "@ostinato/proto";
import type { Clock } from "@ostinato/runtime";
import type { GrantOptions, LeaseRecord } from "../leases/index.js";
import { nodesToUpload } from "../leases/index.js";
import type { WorkerTable } from "../membership/index.js";
import type { Metrics } from "../ops/index.js";
import type { WorkerSession } from "../sessions/index.js";
import type { CarriedStates } from "./carried-states.js";
import type { Round } from "./current-round.js";

export interface LeaseIssuerOptions {
  /** Leaves of each node whose gradient is rounded to bfloat16; undefined: none is. */
  readonly roundedLeaves: number | undefined;
  /** Sum over the global batch of each loss term's weight in this round. */
  readonly lossWeightTotals: (round: Round) => readonly number[];
}

export interface LeaseIssuerModules {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly workers: WorkerTable<WorkerSession>;
  readonly states: CarriedStates;
  /** A version goes out with a lease: false if the run is another coordinator's by now. */
  readonly isHeld: () => boolean;
}

export class LeaseIssuer {
  readonly #options: LeaseIssuerOptions;
  readonly #modules: LeaseIssuerModules;

  constructor(options: LeaseIssuerOptions, modules: LeaseIssuerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Leaves of each node that is rounded: an evaluation has no gradients. */
  roundedLeaves({ kind }: Round): number | undefined {
    return kind === "train" ? this.#options.roundedLeaves : undefined;
  }

  /**
   * @param leaves ascending
   * @param options.nodes as few as cover the leaves unless given
   * @returns undefined where the worker is gone, or the run another coordinator's
   */
  issue(
    round: Round,
    workerId: string,
    leaves: readonly number[],
    options: GrantOptions = {},
  ): LeaseRecord | undefined {
    const worker = this.#modules.workers.get(workerId);
    const session = worker?.link;
    // It may have been sent away since it was chosen.
    if (worker?.state !== "active" || session === undefined) return undefined;
    if (!this.#modules.isHeld()) return undefined;
    const { metrics, clock, states } = this.#modules;
    const isTraining = round.kind === "train";
    const nodes = options.nodes ?? nodesToUpload(leaves, this.roundedLeaves(round));
    const record = round.leases.grant(workerId, leaves, clock.now(), { ...options, nodes });
    metrics.leases.inc({ event: "issued" });
    const sources = leaves.map((leaf) => ({
      leaf,
      state: isTraining ? states.sourceFor(leaf, workerId) : ("zero" as const),
    }));
    const sent = new Map<number, Float32Array>();
    for (const { leaf, state } of sources) {
      const values = state === "sent" ? states.get(leaf) : undefined;
      if (values !== undefined) sent.set(leaf, values);
    }
    const lease: Omit<Lease, "transfer"> = {
      fence: record.fence,
      leaseKind: round.kind,
      step: round.step,
      version: round.version.version,
      epoch: isTraining ? round.planned.epoch : 0,
      epochStep: isTraining ? round.planned.epochStep : 0,
      nodes,
      leaves: sources,
      split: isTraining ? "" : round.split,
      lossWeightTotals: this.#options.lossWeightTotals(round),
    };
    session.grant(lease, round.version, sent);
    return record;
  }
}
