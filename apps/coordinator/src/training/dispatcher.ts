/** Hands the leaves of the current round to whoever is idle, and takes in what comes back. */

import { nodesCovering } from "@ostinato/kernels";
import type { Lease, NodeId, WireError } from "@ostinato/proto";
import type { Clock, Logger, Timer } from "@ostinato/runtime";
import { CoordinatorError } from "../errors/index.js";
import { contiguousRuns, planLeases } from "../leases/index.js";
import type { WorkerTable } from "../membership/index.js";
import type { Metrics } from "../ops/index.js";
import type {
  EvaluationResult,
  Progress,
  SessionHub,
  UploadBegin,
  UploadEnd,
  WorkerSession,
} from "../sessions/index.js";
import type { BufferPool, UploadRejection } from "../steps/index.js";
import { leafResultsProblem, StagedUpload } from "../steps/index.js";
import type { CarriedStates } from "./carried-states.js";
import type { EvaluationRound } from "./evaluation-round.js";
import { Suspects } from "./suspects.js";
import type { Verdict } from "./suspects.js";
import type { TrainRound } from "./train-round.js";

export type Round = TrainRound | EvaluationRound;

/** How a round ended: every leaf is in, or one of them can't be had. */
export type RoundOutcome =
  | { readonly kind: "complete" }
  | { readonly kind: "nonFinite"; readonly node: NodeId; readonly detail: string };

export interface DispatcherOptions {
  readonly jobId: string;
  readonly incarnation: number;
  readonly numParameters: number;
  readonly deadlineMs: number;
  readonly stateSizeOf: (leaf: number) => number;
  /** Sum over the global batch of each loss term's weight at this step. */
  readonly lossWeightTotals: (round: Round) => readonly number[];
}

export interface DispatcherModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly workers: WorkerTable<WorkerSession>;
  readonly gradients: BufferPool;
  readonly states: CarriedStates;
  /** Tells those who watch the run. */
  readonly notify: (level: "info" | "warn", text: string) => void;
}

interface Current {
  readonly round: Round;
  readonly suspects: Suspects;
  readonly holders: Map<number, Set<string>>;
  retries: Extract<Verdict, { kind: "retry" }>[];
  readonly resolve: (outcome: RoundOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** A late lease is shared with an idle worker after this part of the deadline. */
const LATE_PART_OF_DEADLINE = 0.5;
const TICKS_PER_DEADLINE = 8;

const leavesOf = (node: NodeId): number[] =>
  Array.from({ length: node.numLeaves }, (_, i) => node.firstLeaf + i);

export class Dispatcher implements SessionHub {
  readonly #options: DispatcherOptions;
  readonly #modules: DispatcherModules;
  #current: Current | undefined;
  #nextFence = 1;
  #timer: Timer | undefined;

  constructor(options: DispatcherOptions, modules: DispatcherModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** The fence of the round's first lease. */
  get nextFence(): number {
    return this.#nextFence;
  }

  get numWorkers(): number {
    return this.#modules.workers.active().length;
  }

  get round(): Round | undefined {
    return this.#current?.round;
  }

  /** Workers that computed a leaf in the round just collected, and so hold its state. */
  async collect(
    round: Round,
    signal: AbortSignal,
  ): Promise<RoundOutcome & { readonly holders: ReadonlyMap<number, ReadonlySet<string>> }> {
    if (signal.aborted) throw new CoordinatorError("stopped", "the run is being stopped");
    const holders = new Map<number, Set<string>>();
    const onAbort = (): void => {
      this.#current?.reject(new CoordinatorError("stopped", "the run is being stopped"));
    };
    try {
      const outcome = await new Promise<RoundOutcome>((resolve, reject) => {
        const suspects = new Suspects();
        this.#current = { round, suspects, holders, retries: [], resolve, reject };
        signal.addEventListener("abort", onAbort, { once: true });
        this.#dispatch();
        this.#schedule();
      });
      return { ...outcome, holders };
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#timer?.cancel();
      this.#nextFence = round.leases.nextFence;
      for (const lease of round.leases.active()) {
        this.#revoke(round, lease.fence, "the round is over", "superseded");
      }
      this.#current = undefined;
    }
  }

  /** A worker may have become idle. */
  attached(session: WorkerSession): void {
    this.#modules.notify("info", `${session.workerId} (${session.name}) joined`);
    this.#dispatch();
  }

  beginUpload(
    session: WorkerSession,
    begin: UploadBegin,
  ): StagedUpload | { readonly reason: UploadRejection; readonly detail: string } {
    const { jobId, incarnation, numParameters, stateSizeOf } = this.#options;
    const round = this.#current?.round;
    if (begin.jobId !== jobId) {
      return { reason: "foreignJob", detail: `job ${begin.jobId} is not ${jobId}` };
    }
    if (begin.incarnation !== incarnation) {
      return { reason: "staleIncarnation", detail: `incarnation ${begin.incarnation} is over` };
    }
    if (round?.kind !== "train" || begin.step !== round.step) {
      return { reason: "staleStep", detail: `step ${begin.step} is not being collected` };
    }
    const leaves = leavesOf(begin.node);
    if (round.leases.check(begin.fence, session.workerId, leaves) !== "valid") {
      return { reason: "staleLease", detail: `fence ${begin.fence} does not hold these leaves` };
    }
    if (round.tree.isComplete(begin.node)) {
      return { reason: "duplicate", detail: "the node is complete" };
    }
    round.leases.renew(begin.fence, this.#modules.clock.now(), "upload");
    return new StagedUpload(
      { node: begin.node, numParameters, stateSizeOf },
      this.#modules.gradients.acquire(),
    );
  }

  abandonUpload(staged: StagedUpload): void {
    this.#modules.gradients.release(staged.gradient);
  }

  finishUpload(
    session: WorkerSession,
    begin: UploadBegin,
    staged: StagedUpload,
    end: UploadEnd,
  ): void {
    const current = this.#current;
    const outcome = staged.finish(end);
    const round = current?.round;
    const leaves = leavesOf(begin.node);
    if (
      current === undefined ||
      round?.kind !== "train" ||
      round.step !== begin.step ||
      round.leases.check(begin.fence, session.workerId, leaves) !== "valid"
    ) {
      this.abandonUpload(staged);
      this.uploadRejected(session, begin, "staleLease", "the lease ended during the upload");
      return;
    }
    if (outcome.kind === "complete") {
      for (const leaf of leaves) {
        const holders = current.holders.get(leaf) ?? new Set();
        current.holders.set(leaf, holders.add(session.workerId));
      }
      if (round.admit(outcome.upload, session.workerId, begin.fence) === "duplicate") return;
      this.#modules.metrics.uploadsAdmitted.inc();
      for (const { workerId, detail } of current.suspects.cleared(begin.node)) {
        this.#modules.notify(
          "warn",
          `step ${round.step}: ${workerId} sent a result that is not finite (${detail}); ` +
            `${session.workerId} computed a finite one`,
        );
      }
      this.#markCompletedLeases(round);
      if (round.isComplete) current.resolve({ kind: "complete" });
      return;
    }
    this.abandonUpload(staged);
    if (outcome.kind === "rejected") {
      this.uploadRejected(session, begin, outcome.reason, outcome.detail);
      // The worker has nothing better to send: the leaves go to whoever asks next.
      this.#revoke(round, begin.fence, `upload refused: ${outcome.reason}`, "refused");
      this.#dispatch();
      return;
    }
    this.#nonFinite(session, begin, outcome);
  }

  uploadRejected(
    session: WorkerSession,
    begin: { readonly fence: number; readonly node: NodeId },
    reason: UploadRejection,
    detail: string,
  ): void {
    this.#modules.metrics.uploadsRejected.inc({ reason });
    const { firstLeaf, numLeaves } = begin.node;
    this.#modules.logger.warn(
      { worker: session.workerId, fence: begin.fence, firstLeaf, numLeaves, reason },
      `upload refused: ${detail}`,
    );
    session.sendRejection(begin.fence, begin.node, reason);
  }

  evaluationResult(session: WorkerSession, result: EvaluationResult): void {
    const current = this.#current;
    const round = current?.round;
    const reject = (reason: UploadRejection, detail: string): void => {
      const first = result.leaves[0]?.leaf ?? 0;
      const node = { firstLeaf: first, numLeaves: 1 };
      this.uploadRejected(session, { fence: result.fence, node }, reason, detail);
    };
    const { jobId, incarnation } = this.#options;
    if (result.jobId !== jobId) {
      reject("foreignJob", `job ${result.jobId} is not ${jobId}`);
    } else if (result.incarnation !== incarnation) {
      reject("staleIncarnation", `incarnation ${result.incarnation} is over`);
    } else if (
      current === undefined ||
      round?.kind !== "evaluate" ||
      round.step !== result.step ||
      round.leases.check(
        result.fence,
        session.workerId,
        result.leaves.map(({ leaf }) => leaf),
      ) !== "valid"
    ) {
      reject("staleLease", `fence ${result.fence} does not hold these leaves`);
    } else {
      const problem = result.leaves
        .map((leaf) => leafResultsProblem({ firstLeaf: leaf.leaf, numLeaves: 1 }, [leaf]))
        .find((text) => text !== undefined);
      if (problem !== undefined) {
        reject("malformed", problem);
        this.#revoke(round, result.fence, "evaluation refused", "refused");
        this.#dispatch();
        return;
      }
      round.admit(result.leaves, session.workerId);
      this.#markCompletedLeases(round);
      if (round.isComplete) current.resolve({ kind: "complete" });
    }
  }

  progress(session: WorkerSession, progress: Progress): void {
    const lease = this.#current?.round.leases.get(progress.fence);
    if (lease?.workerId !== session.workerId) return;
    this.#current?.round.leases.renew(
      progress.fence,
      this.#modules.clock.now(),
      progress.phase,
      progress.timeSteps,
    );
  }

  moved(fence: number): void {
    this.#current?.round.leases.renew(fence, this.#modules.clock.now(), "upload");
  }

  leasesReturned(session: WorkerSession, reason: string): void {
    this.#modules.workers.drain(session.workerId);
    this.#modules.notify("info", `${session.workerId} leaves: ${reason}`);
    this.#releaseLeasesOf(session, reason, "returned");
  }

  leaseEnded(session: WorkerSession, fence: number, error: string): void {
    if (error !== "") {
      this.#modules.notify("warn", `${session.workerId} failed a lease: ${error}`);
    }
    const round = this.#current?.round;
    const lease = round?.leases.get(fence);
    if (round !== undefined && lease?.state === "active" && lease.workerId === session.workerId) {
      // Ended without results for all of its leaves.
      this.#revoke(round, fence, error === "" ? "ended early" : error, "failed");
    }
    this.#dispatch();
  }

  closed(session: WorkerSession, error: WireError | undefined): void {
    const wasDraining = this.#modules.workers
      .all()
      .some(({ workerId, state }) => workerId === session.workerId && state === "draining");
    this.#modules.workers.remove(session.workerId);
    const reason = error === undefined ? "left" : `lost: ${error.message}`;
    if (!wasDraining)
      this.#modules.notify("warn", `${session.workerId} (${session.name}) ${reason}`);
    this.#releaseLeasesOf(session, reason, "lost");
  }

  #markCompletedLeases(round: Round): void {
    for (const { workerId, link } of this.#modules.workers.active()) {
      for (const fence of round.leases.completedOf(workerId)) link?.leaseCompleted(fence);
    }
  }

  #releaseLeasesOf(session: WorkerSession, reason: string, event: string): void {
    const round = this.#current?.round;
    if (round === undefined) return;
    for (const lease of round.leases.active()) {
      if (lease.workerId === session.workerId) this.#revoke(round, lease.fence, reason, event);
    }
    this.#dispatch();
  }

  #revoke(round: Round, fence: number, reason: string, event: string): void {
    const workerId = round.leases.get(fence)?.workerId;
    const lost = round.leases.revoke(fence, reason);
    if (lost === undefined) return;
    this.#modules.metrics.leases.inc({ event });
    if (lost.leaves.length > 0) round.lost.push(lost);
    const session = this.#modules.workers
      .all()
      .find((worker) => worker.workerId === workerId)?.link;
    session?.revoke(fence, reason);
  }

  #nonFinite(
    session: WorkerSession,
    begin: UploadBegin,
    result: { readonly checksum: number; readonly detail: string },
  ): void {
    const current = this.#current;
    if (current === undefined) return;
    this.uploadRejected(session, begin, "nonFinite", result.detail);
    const isAlone = this.#modules.workers.active().length <= 1;
    const verdict = current.suspects.report(
      { node: begin.node, workerId: session.workerId, ...result },
      isAlone,
    );
    switch (verdict.kind) {
      case "retry":
        current.retries.push(verdict);
        this.#revoke(current.round, begin.fence, "its result is not finite", "refused");
        this.#dispatch();
        return;
      case "confirmed":
        current.resolve({ kind: "nonFinite", node: verdict.node, detail: verdict.detail });
        return;
      case "irreproducible":
        current.reject(
          new CoordinatorError(
            "nonFinite",
            `step ${current.round.step}: leaf ${verdict.node.firstLeaf} gave a different result ` +
              `that is not finite at every try (${verdict.detail})`,
          ),
        );
        return;
      default:
        verdict satisfies never;
    }
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = this.#modules.clock.setTimer(
      this.#options.deadlineMs / TICKS_PER_DEADLINE,
      () => {
        this.#tick();
        if (this.#current !== undefined) this.#schedule();
      },
    );
  }

  #tick(): void {
    const round = this.#current?.round;
    if (round === undefined) return;
    const { clock, workers, notify } = this.#modules;
    const { deadlineMs } = this.#options;
    workers.expireJoined(clock.now(), deadlineMs);
    for (const lease of round.leases.expired(clock.now(), deadlineMs)) {
      const seconds = ((clock.now() - lease.lastProgressMs) / 1000).toFixed(1);
      notify(
        "warn",
        `step ${round.step}: ${lease.workerId} has not moved in phase ${lease.phase} for ` +
          `${seconds} s; its leaves ${lease.leaves.join(", ")} are leased again`,
      );
      this.#revoke(round, lease.fence, `nothing moved for ${seconds} s`, "expired");
    }
    this.#dispatch();
  }

  /** Gives idle workers what is free: second tries first, then free leaves, then late ones. */
  #dispatch(): void {
    const current = this.#current;
    if (current === undefined) return;
    const { round } = current;
    const idle = new Map(
      this.#modules.workers
        .active()
        .flatMap(({ workerId, link }) =>
          link?.isIdle === true ? [[workerId, link] as const] : [],
        ),
    );
    const numActive = this.#modules.workers.active().length;
    const reserved = new Set<number>();
    current.retries = current.retries.filter((retry) => {
      const leaves = leavesOf(retry.node);
      const workerId = [...idle.keys()].find((id) => id !== retry.notBy || numActive <= 1);
      if (workerId === undefined) {
        for (const leaf of leaves) reserved.add(leaf);
        return true;
      }
      this.#grant(round, workerId, leaves, [retry.node]);
      idle.delete(workerId);
      return false;
    });
    const free = round.leases.freeLeaves().filter((leaf) => !reserved.has(leaf));
    for (const { workerId, leaves } of planLeases(free, [...idle.keys()])) {
      this.#grant(round, workerId, leaves);
      idle.delete(workerId);
    }
    const { clock } = this.#modules;
    for (const workerId of idle.keys()) {
      const late = round.leases.late(clock.now(), this.#options.deadlineMs * LATE_PART_OF_DEADLINE);
      if (late === undefined) return;
      const leaves = late.leaves.filter((leaf) => !round.leases.isDone(leaf));
      this.#modules.metrics.leases.inc({ event: "second" });
      this.#grant(round, workerId, leaves);
    }
  }

  #grant(
    round: Round,
    workerId: string,
    leaves: readonly number[],
    wholeNodes?: readonly NodeId[],
  ): void {
    const session = this.#modules.workers
      .active()
      .find((worker) => worker.workerId === workerId)?.link;
    if (session === undefined) return;
    const { metrics, clock, states } = this.#modules;
    const record = round.leases.grant(workerId, leaves, clock.now());
    metrics.leases.inc({ event: "issued" });
    const nodes =
      wholeNodes ??
      contiguousRuns(record.leaves).flatMap(({ first, count }) => nodesCovering(first, count));
    const sources = record.leaves.map((leaf) => ({
      leaf,
      state: round.kind === "train" ? states.sourceFor(leaf, workerId) : ("zero" as const),
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
      epoch: round.kind === "train" ? round.planned.epoch : 0,
      epochStep: round.kind === "train" ? round.planned.epochStep : 0,
      nodes,
      leaves: sources,
      split: round.kind === "train" ? "" : round.split,
      lossWeightTotals: this.#options.lossWeightTotals(round),
    };
    session.grant(lease, round.version, sent);
  }
}
