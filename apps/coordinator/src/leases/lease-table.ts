/** Who may compute which leaves, and until when. Pure: the time is an argument of every call. */

import type { NodeId } from "@ostinato/proto";
import { CoordinatorError } from "../errors/index.js";

/** A lease's life: `active` until its leaves are done or it is revoked; a revoked fence stays refused for ever. */
export type LeaseState = "active" | "complete" | "revoked";

export interface LeaseRecord {
  readonly fence: number;
  readonly workerId: string;
  readonly leaves: readonly number[];
  /** The nodes whose sums it may upload; none for an evaluation. */
  readonly nodes: readonly NodeId[];
  readonly grantedAtMs: number;
  readonly lastProgressMs: number;
  readonly phase: string;
  readonly timeSteps: number;
  readonly state: LeaseState;
  /**
   * Of a check, which computes leaves once more to compare them: those of them that are in. Undefined for
   * any other lease.
   */
  readonly checked: ReadonlySet<number> | undefined;
  /** Leaves that were done first by what came under its fence. */
  readonly delivered: ReadonlySet<number>;
}

/** What a revoked lease leaves unfinished; goes into the ledger line of the step. */
export interface LostLease {
  readonly worker: string;
  readonly fence: number;
  readonly leaves: readonly number[];
  readonly reason: string;
}

interface MutableLease {
  readonly fence: number;
  readonly workerId: string;
  leaves: readonly number[];
  readonly nodes: readonly NodeId[];
  grantedAtMs: number;
  lastProgressMs: number;
  phase: string;
  timeSteps: number;
  state: LeaseState;
  readonly checked: Set<number> | undefined;
  readonly delivered: Set<number>;
}

export interface GrantOptions {
  /** The nodes whose sums it may upload; none for an evaluation. */
  readonly nodes?: readonly NodeId[];
  /** Whether the leaves, done or not, are computed only to compare them. */
  readonly isCheck?: boolean;
}

/**
 * The leases of one round (the collection of one step's gradients, or one evaluation).
 *
 * A leaf is free, leased or done. Several active leases may hold one leaf: a straggler's second
 * lease leaves the first fence valid, and whichever upload is first counts. A check has nothing to do with
 * that: its leaves are neither leased nor done by it.
 */
export class LeaseTable {
  readonly #leases = new Map<number, MutableLease>();
  readonly #done: boolean[];
  #nextFence: number;

  constructor(numLeaves: number, firstFence: number) {
    this.#done = new Array<boolean>(numLeaves).fill(false);
    this.#nextFence = firstFence;
  }

  /** The fence the next lease gets; fences never repeat within an incarnation. */
  get nextFence(): number {
    return this.#nextFence;
  }

  get numLeaves(): number {
    return this.#done.length;
  }

  get isComplete(): boolean {
    return this.#done.every(Boolean);
  }

  /** When the first lease of the round was granted; undefined before. */
  get begunAtMs(): number | undefined {
    const [first] = this.#leases.values();
    return first?.grantedAtMs;
  }

  /** When anything last moved in any lease of the round; undefined before the first one. */
  get lastProgressMs(): number | undefined {
    const moved = [...this.#leases.values()].map(({ lastProgressMs }) => lastProgressMs);
    return moved.length === 0 ? undefined : Math.max(...moved);
  }

  isDone(leaf: number): boolean {
    return this.#done[leaf] ?? false;
  }

  /** The leaves of a lease that are not done, ascending; of a check those that are not in. */
  unfinished(lease: Pick<LeaseRecord, "leaves"> & Partial<LeaseRecord>): readonly number[] {
    const { leaves, checked } = lease;
    return leaves.filter((leaf) =>
      checked === undefined ? !this.isDone(leaf) : !checked.has(leaf),
    );
  }

  /** Leaves that nobody holds, ascending. */
  freeLeaves(): readonly number[] {
    const held = new Set<number>();
    for (const lease of this.#computing()) for (const leaf of lease.leaves) held.add(leaf);
    return this.#done.flatMap((done, leaf) => (done || held.has(leaf) ? [] : [leaf]));
  }

  grant(
    workerId: string,
    leaves: readonly number[],
    nowMs: number,
    { nodes = [], isCheck = false }: GrantOptions = {},
  ): LeaseRecord {
    if (leaves.length === 0) throw new CoordinatorError("internal", "a lease needs a leaf");
    const lease: MutableLease = {
      fence: this.#nextFence++,
      workerId,
      leaves: [...leaves].sort((a, b) => a - b),
      nodes,
      grantedAtMs: nowMs,
      lastProgressMs: nowMs,
      phase: "granted",
      timeSteps: 0,
      state: "active",
      checked: isCheck ? new Set() : undefined,
      delivered: new Set(),
    };
    this.#leases.set(lease.fence, lease);
    return lease;
  }

  /** Any frame or progress count renews a lease; on a fence that is not active it does nothing. */
  renew(fence: number, nowMs: number, phase?: string, timeSteps?: number): void {
    const lease = this.#leases.get(fence);
    if (lease?.state !== "active") return;
    lease.lastProgressMs = nowMs;
    if (phase !== undefined) lease.phase = phase;
    if (timeSteps !== undefined) lease.timeSteps = timeSteps;
  }

  /** The coordinator stood still for so long: no lease is older for it. */
  forgive(pausedMs: number): void {
    for (const lease of this.#leases.values()) {
      lease.grantedAtMs += pausedMs;
      lease.lastProgressMs += pausedMs;
    }
  }

  /** Whether this worker's lease under this fence was not revoked and has all of these leaves. */
  holdsLeaves(fence: number, workerId: string, leaves: readonly number[]): boolean {
    const lease = this.#valid(fence, workerId);
    return lease !== undefined && leaves.every((leaf) => lease.leaves.includes(leaf));
  }

  /** Whether this worker's lease under this fence was not revoked and has exactly this node. */
  holdsNode(fence: number, workerId: string, node: NodeId): boolean {
    const nodes = this.#valid(fence, workerId)?.nodes ?? [];
    return nodes.some(
      ({ firstLeaf, numLeaves }) => firstLeaf === node.firstLeaf && numLeaves === node.numLeaves,
    );
  }

  #valid(fence: number, workerId: string): LeaseRecord | undefined {
    const lease = this.#leases.get(fence);
    return lease?.state !== "revoked" && lease?.workerId === workerId ? lease : undefined;
  }

  /**
   * @param fence under which the results came
   * @returns the leases that this completes, of whichever worker
   */
  complete(leaves: readonly number[], fence: number): readonly LeaseRecord[] {
    const delivered = this.#leases.get(fence)?.delivered;
    for (const leaf of leaves) {
      if (this.#done[leaf] !== true) delivered?.add(leaf);
      this.#done[leaf] = true;
    }
    const completed = this.#computing().filter((lease) => this.unfinished(lease).length === 0);
    for (const lease of completed) lease.state = "complete";
    return completed;
  }

  /** Leaves of a check are in. @returns the lease, if this completes it */
  completeCheck(fence: number, leaves: readonly number[]): readonly LeaseRecord[] {
    const lease = this.#leases.get(fence);
    if (lease?.state !== "active" || lease.checked === undefined) return [];
    for (const leaf of leaves) lease.checked.add(leaf);
    if (this.unfinished(lease).length > 0) return [];
    lease.state = "complete";
    return [lease];
  }

  /** Makes the fence refused from now on; the leaves nobody else holds become free. */
  revoke(fence: number, reason: string): LostLease | undefined {
    const lease = this.#leases.get(fence);
    if (lease?.state !== "active") return undefined;
    lease.state = "revoked";
    const leaves = this.unfinished(lease);
    return { worker: lease.workerId, fence, leaves, reason };
  }

  /**
   * There is no result of these leaves any more: they are free. A lease that is still active has sent its
   * own of them, or another worker has, and is complete without them.
   */
  reopen(leaves: readonly number[]): void {
    for (const leaf of leaves) this.#done[leaf] = false;
    for (const lease of this.#computing()) {
      lease.leaves = lease.leaves.filter((leaf) => !leaves.includes(leaf));
    }
  }

  /** Refuses this worker's fences from now on, also those whose leases were complete. */
  expel(workerId: string): void {
    for (const lease of this.#leases.values()) {
      if (lease.workerId === workerId) lease.state = "revoked";
    }
  }

  active(): readonly LeaseRecord[] {
    return [...this.#leases.values()].filter((lease) => lease.state === "active");
  }

  get(fence: number): LeaseRecord | undefined {
    return this.#leases.get(fence);
  }

  /** Active leases in which nothing moved for `leaseMs`. */
  expired(nowMs: number, leaseMs: number): readonly LeaseRecord[] {
    return this.active().filter((lease) => nowMs - lease.lastProgressMs >= leaseMs);
  }

  /**
   * The oldest active lease with unfinished leaves that no other active lease holds as well: the next
   * candidate for a second lease.
   */
  oldestUnshared(): LeaseRecord | undefined {
    const active = this.#computing();
    const holders = new Map<number, number>();
    for (const lease of active) {
      for (const leaf of lease.leaves) holders.set(leaf, (holders.get(leaf) ?? 0) + 1);
    }
    return active
      .filter((lease) => this.unfinished(lease).some((leaf) => holders.get(leaf) === 1))
      .sort((a, b) => a.grantedAtMs - b.grantedAtMs || a.fence - b.fence)[0];
  }

  /** The active leases that are no checks. */
  #computing(): MutableLease[] {
    return [...this.#leases.values()].filter(
      (lease) => lease.state === "active" && lease.checked === undefined,
    );
  }
}
