/** The round being collected, with what is known about it beside its results. */

import type { NodeId } from "@ostinato/proto";
import { CoordinatorError } from "../errors/index.js";
import type { Gate } from "../gatekeeper/index.js";
import type { LeaseRecord } from "../leases/index.js";
import type { EvaluationRound } from "./evaluation-round.js";
import { Suspects } from "./suspects.js";
import type { Verdict } from "./suspects.js";
import type { TrainRound } from "./train-round.js";

export type Round = TrainRound | EvaluationRound;

/** How a round ended: every leaf is in, or one of them can't be had. */
export type RoundOutcome =
  | { readonly kind: "complete" }
  | { readonly kind: "nonFinite"; readonly node: NodeId; readonly detail: string };

/**
 * A leaf that failed this often, where nobody is left who has not failed it, fails because of what it
 * is. Twice what quarantines one worker: if it is alone, it has been started again and asked once more.
 */
const MAX_FAILURES_OF_A_LEAF = 6;
/**
 * So many leases in which nothing moved for a deadline, on one leaf of one round, are no chance any more. Who had
 * them does not matter: a worker that hung joins again under another name.
 */
const MAX_EXPIRIES_OF_A_LEAF = 6;

/** A worker dies of anything, two in a row perhaps: from then on such a leaf is leased alone, to see whether it is the leaf. */
const DEATHS_BEFORE_ALONE = 2;
/**
 * After two more workers that had nothing else it is no chance any more. Fewer than a local cluster starts a worker
 * again, so that a run with one worker ends by this, and with the reason.
 */
const MAX_DEATHS_OF_A_LEAF = 4;

export class CurrentRound {
  readonly round: Round;
  readonly sinceMs: number;
  readonly suspects = new Suspects();
  /** By leaf: the workers that computed it in this round, and so hold its state. */
  readonly holders = new Map<number, Set<string>>();
  readonly ended: Promise<RoundOutcome>;
  /** Nodes to be computed once more, by somebody else if possible. */
  retries: Extract<Verdict, { kind: "retry" }>[] = [];
  /** What a training round's results pass on their way into the tree. */
  gate: Gate | undefined;
  #waitingSinceMs: number | undefined;
  #waitedMs = 0;
  readonly #failures = new Map<number, string[]>();
  readonly #expiries = new Map<number, string[]>();
  readonly #deaths = new Map<number, string[]>();
  readonly #resolve: (outcome: RoundOutcome) => void;
  readonly #reject: (error: Error) => void;

  constructor(round: Round, nowMs: number) {
    this.round = round;
    this.sinceMs = nowMs;
    const { promise, resolve, reject } = withResolvers<RoundOutcome>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** When its first lease was granted: from then on whoever is left finishes it. */
  get begunAtMs(): number | undefined {
    return this.round.leases.begunAtMs;
  }

  /** From now on it waits for workers to be there, or does not. */
  waitsForWorkers(isWaiting: boolean, nowMs: number): void {
    if (this.#waitingSinceMs !== undefined) this.#waitedMs += nowMs - this.#waitingSinceMs;
    this.#waitingSinceMs = isWaiting ? nowMs : undefined;
  }

  /** How long it has waited for workers to be there, as of the last `waitsForWorkers`. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  end(outcome: RoundOutcome): void {
    this.#resolve(outcome);
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  /** The workers that failed this leaf. */
  failedBy(leaf: number): ReadonlySet<string> {
    return new Set(this.#failures.get(leaf));
  }

  /**
   * Counts a failure of a lease against its unfinished leaves; too many of one end the run.
   *
   * @param candidates workers that could be asked for them now or soon
   */
  leaseFailed(lease: LeaseRecord, detail: string, candidates: readonly string[]): void {
    for (const leaf of this.round.leases.unfinished(lease)) {
      const workers = [...(this.#failures.get(leaf) ?? []), lease.workerId];
      this.#failures.set(leaf, workers);
      const isUntried = candidates.some((id) => !workers.includes(id));
      if (workers.length < MAX_FAILURES_OF_A_LEAF || isUntried) continue;
      this.#leafFailed(
        `leaf ${leaf} failed ${workers.length} times, on ${namesOf(workers)}; last: ${detail}`,
      );
      return;
    }
  }

  /** Counts an expiry against the unfinished leaves of a lease; too many of one end the run. */
  leaseExpired(lease: LeaseRecord): void {
    for (const leaf of this.round.leases.unfinished(lease)) {
      const workers = [...(this.#expiries.get(leaf) ?? []), lease.workerId];
      this.#expiries.set(leaf, workers);
      if (workers.length < MAX_EXPIRIES_OF_A_LEAF) continue;
      this.#leafFailed(
        `leaf ${leaf} was leased ${workers.length} times, to ${namesOf(workers)}, and each time ` +
          `nothing moved for a deadline; last in phase ${lease.phase}`,
      );
      return;
    }
  }

  /** Whether workers died that had this leaf, so often that it is to be leased with no other one. */
  isDeadly(leaf: number): boolean {
    return (this.#deaths.get(leaf)?.length ?? 0) >= DEATHS_BEFORE_ALONE;
  }

  /**
   * Counts the death of a lease's worker against its unfinished leaves; too many of one that was leased alone, or
   * checked, end the run.
   *
   * @param describeSamples names the samples of a leaf; undefined where that is not known
   */
  workerDied(
    lease: LeaseRecord,
    options: {
      /** Leaves that are never parted. */
      readonly leavesTogether: number;
      readonly describeSamples: ((leaves: readonly number[]) => string) | undefined;
    },
  ): void {
    const { leavesTogether, describeSamples } = options;
    const isAlone = lease.checked !== undefined || lease.leaves.length <= leavesTogether;
    for (const leaf of this.round.leases.unfinished(lease)) {
      const workers = [...(this.#deaths.get(leaf) ?? []), lease.workerId];
      this.#deaths.set(leaf, workers);
      if (workers.length < MAX_DEATHS_OF_A_LEAF || !isAlone) continue;
      const { leaves, phase } = lease;
      const samples = describeSamples === undefined ? "" : `${describeSamples(leaves)}; `;
      const last = leaves.length === 1 ? "nothing else" : `nothing but leaves ${leaves.join(", ")}`;
      this.#leafFailed(
        `leaf ${leaf}: ${workers.length} workers died that had it (${namesOf(workers)}), the last ` +
          `of them with ${last} to do, in phase ${phase}; ${samples}look at what it has, at how much ` +
          "memory a worker has, or at the network: a connection that breaks counts as well",
      );
      return;
    }
  }

  #leafFailed(what: string): void {
    const { kind, step } = this.round;
    const where = kind === "train" ? `step ${step}` : `the evaluation at step ${step}`;
    this.fail(new CoordinatorError("leafFailed", `${where}: ${what}`));
  }

  computedBy(workerId: string, leaves: readonly number[]): void {
    for (const leaf of leaves) {
      const holders = this.holders.get(leaf) ?? new Set();
      this.holders.set(leaf, holders.add(workerId));
    }
  }
}

const namesOf = (workers: readonly string[]): string => [...new Set(workers)].join(", ");

// Promise.withResolvers came with Node 22.
function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
