/** Which idle worker gets which leaves of the current round. */

import type { NodeId } from "@ostinato/proto";
import type { Clock } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";
import type { CheckRequest } from "../gatekeeper/index.js";
import type { LeasePace } from "../leases/index.js";
import { LeaseShares, planLeases } from "../leases/index.js";
import type { Metrics } from "../ops/index.js";
import type { CurrentRound } from "./current-round.js";
import type { LeaseIssuer } from "./lease-issuer.js";
import { leavesOf } from "./train-round.js";

export interface AllocationModules {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly pace: LeasePace;
  readonly issuer: LeaseIssuer;
  /** Workers other than this one that will take a lease, now or soon. */
  readonly others: (workerId: string) => readonly string[];
}

export class Allocation {
  readonly #timeouts: Timeouts;
  readonly #modules: AllocationModules;
  readonly #shares = new LeaseShares();

  constructor(timeouts: Timeouts, modules: AllocationModules) {
    this.#timeouts = timeouts;
    this.#modules = modules;
  }

  /**
   * Second tries and checks first, as they hold up what else is in; then free leaves, then late ones.
   *
   * @param idle in the order of joining
   * @returns when there will be a late lease for a worker that is left over; undefined: there won't
   */
  allocate(current: CurrentRound, idle: Set<string>): number | undefined {
    const reserved = this.#retry(current, idle);
    this.#check(current, idle);
    const free = current.round.leases.freeLeaves().filter((leaf) => !reserved.has(leaf));
    const deadly = free.filter((leaf) => current.isDeadly(leaf));
    const others = free.filter((leaf) => !deadly.includes(leaf));
    this.#share(current, idle, this.#reassignFailed(current, idle, others));
    this.#leaseAlone(current, idle, deadly);
    return this.#assist(current, idle);
  }

  /** @returns leaves that wait for another worker than those that are idle */
  #retry(current: CurrentRound, idle: Set<string>): ReadonlySet<number> {
    const { round } = current;
    const reserved = new Set<number>();
    current.retries = current.retries.filter((retry) => {
      const leaves = leavesOf(retry.node);
      if (round.leases.unfinished({ leaves }).length === 0) return false;
      const mayBeSame = this.#modules.others(retry.notBy).length === 0;
      const workerId = [...idle].find((id) => id !== retry.notBy || mayBeSame);
      if (workerId === undefined) {
        for (const leaf of leaves) reserved.add(leaf);
        return true;
      }
      this.#modules.issuer.issue(round, workerId, leaves, { nodes: [retry.node] });
      idle.delete(workerId);
      return false;
    });
    return reserved;
  }

  #check(current: CurrentRound, idle: Set<string>): void {
    for (const request of current.gate?.review() ?? []) this.#issueCheck(current, request, idle);
  }

  /** @returns whether there is a lease of it now */
  #issueCheck({ round }: CurrentRound, request: CheckRequest, idle: Set<string>): boolean {
    const { issuer } = this.#modules;
    const { node, workers, begin } = request;
    const workerId = this.#quickest([...idle].filter((id) => workers.includes(id)));
    if (workerId === undefined) return false;
    const leaves = leavesOf(node);
    // Leaf by leaf, to see which of them it is; what is rounded as a whole is compared as a whole.
    const single = leaves.map((firstLeaf): NodeId => ({ firstLeaf, numLeaves: 1 }));
    const nodes = issuer.roundedLeaves(round) === undefined ? single : [node];
    const lease = issuer.issue(round, workerId, leaves, { nodes, isCheck: true });
    idle.delete(workerId);
    if (lease === undefined) return false;
    begin(workerId, lease.fence);
    return true;
  }

  /**
   * What a worker failed goes to one that has not, as long as there is one.
   *
   * @returns the free leaves that are for anyone
   */
  #reassignFailed(
    current: CurrentRound,
    idle: Set<string>,
    free: readonly number[],
  ): readonly number[] {
    let failed = free.filter((leaf) => current.failedBy(leaf).size > 0);
    if (failed.length === 0) return free;
    const untouched = free.filter((leaf) => !failed.includes(leaf));
    for (const workerId of idle) {
      const leaves = failed.filter((leaf) => !current.failedBy(leaf).has(workerId));
      if (leaves.length === 0) continue;
      this.#modules.issuer.issue(current.round, workerId, leaves);
      idle.delete(workerId);
      failed = failed.filter((leaf) => !leaves.includes(leaf));
    }
    const all = this.#modules.others("");
    const byEveryone = failed.filter((leaf) => all.every((id) => current.failedBy(leaf).has(id)));
    return [...untouched, ...byEveryone].sort((a, b) => a - b);
  }

  /**
   * Leaves that workers died of, perhaps, one a worker: what comes of the others is not theirs to spoil. What a
   * worker failed goes to one that has not, as long as there is one.
   */
  #leaseAlone(current: CurrentRound, idle: Set<string>, deadly: readonly number[]): void {
    const { round } = current;
    const { issuer, others } = this.#modules;
    const leavesTogether = issuer.roundedLeaves(round) ?? 1;
    const groups = Array.from({ length: deadly.length / leavesTogether }, (_, index) =>
      deadly.slice(index * leavesTogether, (index + 1) * leavesTogether),
    );
    for (const leaves of groups) {
      const hasFailed = (id: string): boolean =>
        leaves.some((leaf) => current.failedBy(leaf).has(id));
      const isForAnyone = others("").every(hasFailed);
      const workerId = [...idle].find((id) => isForAnyone || !hasFailed(id));
      if (workerId === undefined) continue;
      issuer.issue(round, workerId, leaves);
      idle.delete(workerId);
    }
  }

  /** In proportion to the workers' speed. */
  #share({ round }: CurrentRound, idle: Set<string>, free: readonly number[]): void {
    if (free.length === 0) return;
    const { issuer, pace } = this.#modules;
    const workers = [...idle];
    const leavesTogether = issuer.roundedLeaves(round) ?? 1;
    const isWhole = free.length === round.leases.numLeaves;
    const shares = this.#shares.divide(
      isWhole ? round.kind : undefined,
      free.length / leavesTogether,
      workers,
      pace.ratesOf(workers),
    );
    for (const { workerId, leaves } of planLeases(free, workers, shares, leavesTogether)) {
      issuer.issue(round, workerId, leaves);
      idle.delete(workerId);
    }
    // One for which nothing is left is as good as not measured: it may be quicker by now.
    if (isWhole && round.kind === "train") for (const workerId of idle) pace.leftOut(workerId);
  }

  /** Second leases for late ones: first for checks, as they hold up what else is in. */
  #assist(current: CurrentRound, idle: Set<string>): number | undefined {
    const { round } = current;
    const { clock, issuer, metrics, pace } = this.#modules;
    const lateAfterMs = pace.lateAfterMs(round.kind, this.#timeouts);
    const nextCheckMs = this.#assistChecks(current, idle, lateAfterMs);
    while (idle.size > 0) {
      const oldest = round.leases.oldestUnshared();
      if (oldest === undefined) return nextCheckMs;
      const lateAtMs = oldest.grantedAtMs + lateAfterMs;
      if (clock.now() < lateAtMs) return Math.min(lateAtMs, nextCheckMs ?? Infinity);
      const workerId = this.#quickest([...idle]);
      if (workerId === undefined) return undefined;
      idle.delete(workerId);
      const lease = issuer.issue(round, workerId, round.leases.unfinished(oldest));
      if (lease !== undefined) metrics.secondLeases.inc();
    }
    return undefined;
  }

  #assistChecks(current: CurrentRound, idle: Set<string>, lateAfterMs: number): number | undefined {
    const { clock, metrics } = this.#modules;
    let nextMs: number | undefined;
    for (const request of current.gate?.underway() ?? []) {
      const lease = current.round.leases.get(request.fence);
      const isHelp = request.workers.some((id) => idle.has(id));
      if (lease === undefined || !isHelp) continue;
      const lateAtMs = lease.grantedAtMs + lateAfterMs;
      if (clock.now() < lateAtMs) {
        nextMs = Math.min(lateAtMs, nextMs ?? Infinity);
      } else if (this.#issueCheck(current, request, idle)) {
        metrics.secondLeases.inc();
      }
    }
    return nextMs;
  }

  #quickest(workers: readonly string[]): string | undefined {
    const rates = this.#modules.pace.ratesOf(workers) ?? [];
    let best: string | undefined = workers[0];
    for (const [index, workerId] of workers.entries()) {
      const bestRate = rates[workers.indexOf(best ?? workerId)] ?? 0;
      if ((rates[index] ?? 0) > bestRate) best = workerId;
    }
    return best;
  }
}
