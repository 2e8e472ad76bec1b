/** Takes in what workers compute: checks every claim of an upload, then admits it or refuses it. */

import { crc32 } from "node:zlib";
import type { StatisticsLayout } from "@ostinato/lstm";
import type { LeafResult, NodeId, UploadRejection } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";
import { CoordinatorError } from "../errors/index.js";
import type { NodeResult } from "../gatekeeper/index.js";
import type { LeaseRecord } from "../leases/index.js";
import { RatedLines } from "../ops/index.js";
import type { Metrics } from "../ops/index.js";
import type {
  EvaluationResult,
  UploadBegin,
  UploadEnd,
  UploadHub,
  WorkerSession,
} from "../sessions/index.js";
import type { BufferPool } from "../steps/index.js";
import { leafResultsProblem, StagedUpload } from "../steps/index.js";
import type { CurrentRound, Round } from "./current-round.js";
import type { EvaluationRound } from "./evaluation-round.js";
import type { NonFiniteResult } from "./suspects.js";
import { leavesOf } from "./train-round.js";
import type { TrainRound } from "./train-round.js";

export interface IntakeOptions {
  readonly jobId: string;
  readonly incarnation: number;
  readonly numParameters: number;
  readonly stateSizeOf: (leaf: number) => number;
  /** What each leaf of a step has moments of. */
  readonly statistics: StatisticsLayout;
  /** Leaves of each node whose gradient is rounded to bfloat16; undefined: none is. */
  readonly roundedLeaves: number | undefined;
  /** Sum over the global batch of each loss term's weight in this round. */
  readonly lossWeightTotals: (round: Round) => readonly number[];
}

/** What follows from what comes in; whoever hands out leases does it. */
export interface IntakeEffects {
  readonly current: () => CurrentRound | undefined;
  readonly revoke: (fence: number, reason: string, event: "refused" | "superseded") => void;
  /** These leases are complete now; `fence` is the one whose result made them so. */
  readonly leasesCompleted: (leases: readonly LeaseRecord[], fence: number) => void;
  /** The worker sent something that only a fault of its own explains. */
  readonly workerFailed: (workerId: string, detail: string) => void;
  readonly workerSucceeded: (workerId: string) => void;
  /** Who else could compute what this worker did. */
  readonly others: (workerId: string) => readonly string[];
  readonly dispatch: () => void;
  readonly notify: (level: "info" | "warn", text: string) => void;
}

export interface IntakeModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly gradients: BufferPool;
  readonly effects: IntakeEffects;
}

/** Refusals that are the sender's own fault, not its lateness. */
const FAULTS: ReadonlySet<UploadRejection> = new Set(["checksum", "shape", "malformed"] as const);

/** How many refusals are told in the log, of all workers: who is let go for them joins again, and has a burst again. */
const TOLD = { burst: 1024, perSecond: 1 };

interface Refusal {
  readonly reason: UploadRejection;
  readonly detail: string;
}

export class Intake implements UploadHub {
  readonly #options: IntakeOptions;
  readonly #modules: IntakeModules;
  readonly #lines: RatedLines;

  constructor(options: IntakeOptions, modules: IntakeModules) {
    this.#options = options;
    this.#modules = modules;
    this.#lines = new RatedLines(TOLD, modules.clock.now());
  }

  begin(session: WorkerSession, begin: UploadBegin): StagedUpload | Refusal {
    const { numParameters, stateSizeOf, statistics, roundedLeaves } = this.#options;
    const round = this.#modules.effects.current()?.round;
    const foreign = this.#foreign(begin);
    if (foreign !== undefined) return foreign;
    if (round?.kind !== "train" || begin.step !== round.step) {
      return { reason: "staleStep", detail: `step ${begin.step} is not being collected` };
    }
    // Also the bound on the node: a lease has nodes of the tree alone.
    if (!round.leases.holdsNode(begin.fence, session.workerId, begin.node)) {
      return { reason: "staleLease", detail: `fence ${begin.fence} does not hold this node` };
    }
    if (isTaken(round, begin)) return { reason: "duplicate", detail: "the node is complete" };
    round.leases.renew(begin.fence, this.#modules.clock.now(), "upload");
    const totalLossWeight = this.#totalLossWeight(round);
    return new StagedUpload(
      {
        ...{ node: begin.node, numParameters, stateSizeOf, statistics, totalLossWeight },
        isRounded: roundedLeaves !== undefined,
      },
      this.#modules.gradients.acquire(),
    );
  }

  abandon(staged: StagedUpload): void {
    this.#modules.gradients.release(staged.gradient);
  }

  finish(session: WorkerSession, begin: UploadBegin, staged: StagedUpload, end: UploadEnd): void {
    const { effects } = this.#modules;
    const current = effects.current();
    const round = current?.round;
    const { workerId } = session;
    if (
      current === undefined ||
      round?.kind !== "train" ||
      round.step !== begin.step ||
      !round.leases.holdsNode(begin.fence, workerId, begin.node)
    ) {
      this.abandon(staged);
      this.rejected(session, begin, "staleLease", "the lease ended during the upload");
      return;
    }
    // While this one was on its way.
    if (isTaken(round, begin)) {
      this.abandon(staged);
      this.rejected(session, begin, "duplicate", "another upload of the node was first");
      return;
    }
    const { fence, node } = begin;
    const isCheck = round.leases.get(fence)?.checked !== undefined;
    const outcome = staged.finish(end);
    if (outcome.kind === "complete") {
      current.computedBy(workerId, leavesOf(node));
      const { upload } = outcome;
      if (isCheck) {
        current.gate?.receiveCheck(fence, upload);
        effects.leasesCompleted(round.leases.completeCheck(fence, leavesOf(node)), fence);
        return;
      }
      current.gate?.receive({ upload, workerId, fence });
      if (round.leases.isComplete) current.gate?.allIn();
      return;
    }
    this.abandon(staged);
    if (outcome.kind === "rejected") {
      this.rejected(session, begin, outcome.reason, outcome.detail);
      this.#refused(current, fence, outcome);
      return;
    }
    this.rejected(session, begin, "nonFinite", outcome.detail);
    const { fingerprint, detail } = outcome;
    if (isCheck) {
      current.gate?.checkNotFinite(fence, fingerprint, detail);
      effects.revoke(fence, "its result is not finite", "refused");
      return;
    }
    const verdict = this.#suspect(current, { node, workerId, fingerprint, detail });
    if (verdict === "retry") {
      effects.revoke(fence, "its result is not finite", "refused");
      effects.dispatch();
    } else if (verdict === "confirmed") {
      current.end({ kind: "nonFinite", node, detail });
    }
  }

  /** Into the tree, past every check. */
  admit(current: CurrentRound, round: TrainRound, { upload, workerId, fence }: NodeResult): void {
    const { effects, metrics } = this.#modules;
    const completed = round.admit(upload, workerId, fence);
    if (completed === "duplicate") return;
    metrics.uploadsAdmitted.inc();
    effects.workerSucceeded(workerId);
    this.#cleared(current, upload.node, workerId);
    effects.leasesCompleted(completed, fence);
    if (round.isComplete) current.end({ kind: "complete" });
  }

  rejected(
    session: WorkerSession,
    begin: { readonly fence: number; readonly node: NodeId },
    reason: UploadRejection,
    detail: string,
  ): void {
    this.#modules.metrics.uploadsRejected.inc({ reason });
    const { firstLeaf, numLeaves } = begin.node;
    const { clock, logger } = this.#modules;
    const line = this.#lines.take(`upload refused: ${detail}`, clock.now());
    if (line !== undefined) {
      const { workerId: worker } = session;
      logger.warn({ worker, fence: begin.fence, firstLeaf, numLeaves, reason }, line);
    }
    session.sendRejection(begin.fence, begin.node, reason);
  }

  evaluated(session: WorkerSession, result: EvaluationResult): void {
    const { effects } = this.#modules;
    const current = effects.current();
    const round = current?.round;
    const { fence, leaves } = result;
    const reject = ({ reason, detail }: Refusal): void => {
      const node = { firstLeaf: leaves[0]?.leaf ?? 0, numLeaves: 1 };
      this.rejected(session, { fence, node }, reason, detail);
    };
    const foreign = this.#foreign(result);
    if (foreign !== undefined) {
      reject(foreign);
      return;
    }
    const numbers = leaves.map(({ leaf }) => leaf);
    if (
      current === undefined ||
      round?.kind !== "evaluate" ||
      round.step !== result.step ||
      !round.leases.holdsLeaves(fence, session.workerId, numbers)
    ) {
      reject({ reason: "staleLease", detail: `fence ${fence} does not hold these leaves` });
      return;
    }
    const totalLossWeight = this.#totalLossWeight(round);
    const problem = leaves
      .map((leaf) => {
        const node = { firstLeaf: leaf.leaf, numLeaves: 1 };
        return leafResultsProblem({ node, totalLossWeight }, [leaf]);
      })
      .find((text) => text !== undefined);
    const isWhole =
      new Set(numbers).size === numbers.length &&
      numbers.length === round.leases.get(fence)?.leaves.length;
    if (problem !== undefined || !isWhole) {
      const detail = problem ?? "not each leaf of the lease comes once";
      const refusal = { reason: "malformed", detail } as const;
      reject(refusal);
      this.#refused(current, fence, refusal);
      return;
    }
    this.#admitEvaluated(current, round, session, result);
  }

  #admitEvaluated(
    current: CurrentRound,
    round: EvaluationRound,
    session: WorkerSession,
    { fence, leaves }: EvaluationResult,
  ): void {
    const { effects } = this.#modules;
    const { workerId } = session;
    const admit = (results: readonly LeafResult[]): void => {
      effects.leasesCompleted(round.admit(results, workerId, fence), fence);
    };
    const finite = leaves.filter(({ lossSum }) => Number.isFinite(lossSum));
    admit(finite);
    if (finite.length > 0) effects.workerSucceeded(workerId);
    for (const { leaf } of finite) {
      this.#cleared(current, { firstLeaf: leaf, numLeaves: 1 }, workerId);
    }
    for (const result of leaves) {
      if (Number.isFinite(result.lossSum) || round.leases.isDone(result.leaf)) continue;
      const node = { firstLeaf: result.leaf, numLeaves: 1 };
      const detail = `the loss of leaf ${result.leaf} is ${result.lossSum}`;
      this.rejected(session, { fence, node }, "nonFinite", detail);
      const fingerprint = crc32(`${result.lossSum} ${result.lossWeight}`);
      const verdict = this.#suspect(current, { node, workerId, fingerprint, detail });
      // Reproduced, it is the result; what that means for the run is not decided here.
      if (verdict === "confirmed") admit([result]);
    }
    if (round.isComplete) {
      current.end({ kind: "complete" });
      return;
    }
    effects.revoke(fence, "not all of its results are finite", "refused");
    effects.dispatch();
  }

  #totalLossWeight(round: Round): number {
    return this.#options.lossWeightTotals(round)[0] ?? 0;
  }

  #foreign(claim: { readonly jobId: string; readonly incarnation: number }): Refusal | undefined {
    const { jobId, incarnation } = this.#options;
    if (claim.jobId !== jobId) {
      return { reason: "foreignJob", detail: `job ${claim.jobId} is not ${jobId}` };
    }
    if (claim.incarnation !== incarnation) {
      return { reason: "staleIncarnation", detail: `incarnation ${claim.incarnation} is over` };
    }
    return undefined;
  }

  /** The worker has nothing better to send: the leaves go to whoever asks next. */
  #refused(current: CurrentRound, fence: number, { reason, detail }: Refusal): void {
    const { effects } = this.#modules;
    const lease = current.round.leases.get(fence);
    effects.revoke(fence, `upload refused: ${reason}`, "refused");
    if (lease !== undefined && FAULTS.has(reason)) {
      current.leaseFailed(lease, detail, effects.others(lease.workerId));
      effects.workerFailed(lease.workerId, detail);
    }
    effects.dispatch();
  }

  /** @returns what is to be done with the node; an `irreproducible` one has ended the round */
  #suspect(
    current: CurrentRound,
    result: NonFiniteResult,
  ): "retry" | "confirmed" | "irreproducible" {
    const isAlone = this.#modules.effects.others(result.workerId).length === 0;
    const verdict = current.suspects.report(result, isAlone);
    if (verdict.kind === "retry") current.retries.push(verdict);
    if (verdict.kind === "irreproducible") {
      current.fail(
        new CoordinatorError(
          "nonFinite",
          `step ${current.round.step}: leaf ${verdict.node.firstLeaf} gave a different result ` +
            `that is not finite at every try (${verdict.detail})`,
        ),
      );
    }
    return verdict.kind;
  }

  /** A finite result is in: who sent another one before is to blame, not the data. */
  #cleared(current: CurrentRound, node: NodeId, by: string): void {
    const { effects } = this.#modules;
    for (const { workerId, detail } of current.suspects.cleared(node)) {
      effects.notify(
        "warn",
        `step ${current.round.step}: ${workerId} sent a result that is not finite (${detail}); ` +
          `${by} computed a finite one`,
      );
      if (workerId !== by) effects.workerFailed(workerId, detail);
    }
  }
}

/** Whether nothing more is to be had of a node under a fence: a check's leaves may well be complete. */
function isTaken(round: TrainRound, { fence, node }: { fence: number; node: NodeId }): boolean {
  const checked = round.leases.get(fence)?.checked;
  if (checked === undefined) return round.isTaken(node);
  return leavesOf(node).some((leaf) => checked.has(leaf));
}
