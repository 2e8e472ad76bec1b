/** Hands the leaves of the current round to whoever is idle, and watches over those who have them. */

import type { Lease, NodeId } from "@ostinato/proto";
import { WireError } from "@ostinato/proto";
import type { Clock, Logger, Timer } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import { CoordinatorError } from "../errors/index.js";
import type { LeaseRecord } from "../leases/index.js";
import { nodesToUpload, planLeases } from "../leases/index.js";
import type { WorkerTable } from "../membership/index.js";
import { Conduct, Presence } from "../membership/index.js";
import type { AutopsySources, LeaseEnding, Metrics } from "../ops/index.js";
import { WorkerSpeeds } from "../ops/index.js";
import type { Progress, SessionHub, WorkerSession } from "../sessions/index.js";
import type { BufferPool } from "../steps/index.js";
import type { CarriedStates } from "./carried-states.js";
import { CurrentRound } from "./current-round.js";
import type { Round, RoundOutcome } from "./current-round.js";
import { Intake, leavesOf } from "./intake.js";
import type { IntakeOptions } from "./intake.js";
import type { TrainRound } from "./train-round.js";

export interface DispatcherOptions extends IntakeOptions {
  readonly deadlineMs: number;
  /** With fewer no round begins. */
  readonly minWorkers: number;
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

export class Dispatcher implements SessionHub {
  readonly intake: Intake;
  readonly presence: Presence;
  readonly speeds = new WorkerSpeeds();
  readonly #options: DispatcherOptions;
  readonly #modules: DispatcherModules;
  readonly #conduct = new Conduct();
  readonly #timeouts: Timeouts;
  #current: CurrentRound | undefined;
  #failure: Error | undefined;
  #nextFence = 1;
  #timer: Timer | undefined;
  #tickDueMs = 0;

  constructor(options: DispatcherOptions, modules: DispatcherModules) {
    this.#options = options;
    this.#modules = modules;
    this.#timeouts = deriveTimeouts(options.deadlineMs);
    const { clock, logger, metrics, gradients, notify } = modules;
    this.presence = new Presence(options.minWorkers, clock.now());
    const effects = {
      current: () => this.#current,
      revoke: (fence: number, reason: string, event: LeaseEnding) => {
        this.#revoke(fence, reason, event);
      },
      leasesCompleted: (leases: readonly LeaseRecord[], fence: number) => {
        this.#leasesCompleted(leases, fence);
      },
      workerFailed: (workerId: string, detail: string) => {
        this.#workerFailed(workerId, detail);
      },
      workerSucceeded: (workerId: string) => {
        this.#conduct.succeeded(workerId);
      },
      others: (workerId: string) => this.#others(workerId),
      dispatch: () => {
        this.#dispatch();
      },
      notify,
    };
    this.intake = new Intake(options, { clock, logger, metrics, gradients, effects });
  }

  /** The fence of the round's first lease. */
  get nextFence(): number {
    return this.#nextFence;
  }

  get numWorkers(): number {
    return this.#modules.workers.active().length;
  }

  /** The round being collected, as the autopsy looks at it. */
  get collecting(): AutopsySources["collecting"] {
    const current = this.#current;
    if (current === undefined) return undefined;
    const { round, sinceMs, begunAtMs, retries } = current;
    const { kind, step, leases } = round;
    return { kind, step, leases, sinceMs, begunAtMs, retries };
  }

  /**
   * Collects a round. `holders` are, by leaf, the workers that computed it and so hold its state.
   *
   * @throws {CoordinatorError} `stopped` by the signal; `nonFinite`, `leafFailed` when a leaf can't be had
   */
  async collect(
    round: Round,
    signal: AbortSignal,
  ): Promise<RoundOutcome & { readonly holders: ReadonlyMap<number, ReadonlySet<string>> }> {
    const stopped = (): CoordinatorError =>
      new CoordinatorError("stopped", "the run is being stopped");
    if (this.#failure !== undefined) throw this.#failure;
    if (signal.aborted) throw stopped();
    const current = new CurrentRound(round, this.#modules.clock.now());
    const onAbort = (): void => {
      current.fail(stopped());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#current = current;
    try {
      this.#dispatch();
      this.#schedule();
      return { ...(await current.ended), holders: current.holders };
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#timer?.cancel();
      this.#nextFence = round.leases.nextFence;
      for (const lease of round.leases.active()) {
        this.#revoke(lease.fence, "the round is over", "superseded");
      }
      this.#current = undefined;
    }
  }

  /** Nothing can be collected any more: ends the round that is, with this error, and every later one. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#current?.fail(error);
  }

  /** A worker may have become idle. */
  attached(session: WorkerSession): void {
    this.#modules.notify("info", `${session.workerId} (${session.name}) joined`);
    this.#dispatch();
  }

  progress(session: WorkerSession, progress: Progress): void {
    const leases = this.#current?.round.leases;
    const { fence, phase, timeSteps } = progress;
    if (leases?.get(fence)?.workerId !== session.workerId) return;
    leases.renew(fence, this.#modules.clock.now(), phase, timeSteps);
  }

  moved(fence: number, phase: "download" | "upload"): void {
    this.#current?.round.leases.renew(fence, this.#modules.clock.now(), phase);
  }

  leasesReturned(session: WorkerSession, reason: string): void {
    this.#modules.workers.drain(session.workerId);
    this.#modules.notify("info", `${session.workerId} leaves: ${reason}`);
    this.#releaseLeasesOf(session.workerId, reason, "returned");
  }

  leaseEnded(session: WorkerSession, fence: number, error: string): void {
    const { workerId } = session;
    const current = this.#current;
    const lease = current?.round.leases.get(fence);
    if (current !== undefined && lease?.state === "active" && lease.workerId === workerId) {
      // Ended without results for all of its leaves.
      const detail = error === "" ? "it ended early" : error;
      this.#revoke(fence, detail, "failed");
      current.leaseFailed(lease, detail, this.#others(workerId));
      this.#leaseFailed(workerId, detail);
    } else if (error !== "") this.#leaseFailed(workerId, error);
    this.#dispatch();
  }

  closed(session: WorkerSession, error: WireError | undefined): void {
    const { workerId, name } = session;
    const state = this.#modules.workers.get(workerId)?.state;
    this.#modules.workers.remove(workerId);
    this.#conduct.forget(workerId);
    this.speeds.forget(workerId);
    const reason = error === undefined ? "left" : `lost: ${error.message}`;
    // Of one that said it leaves, or was told to, everybody has heard.
    if (state === "active" && !session.isStopping) {
      this.#modules.notify("warn", `${workerId} (${name}) ${reason}`);
    }
    this.#releaseLeasesOf(workerId, reason, "lost");
  }

  #leaseFailed(workerId: string, detail: string): void {
    this.#modules.notify("warn", `${workerId} failed a lease: ${detail}`);
    this.#modules.states.forget(workerId);
    this.#workerFailed(workerId, detail);
  }

  #leasesCompleted(leases: readonly LeaseRecord[], fence: number): void {
    const round = this.#current?.round;
    for (const lease of leases) {
      if (round?.kind === "train" && lease.fence === fence) this.#noteSpeed(round, lease);
      const session = this.#modules.workers.get(lease.workerId)?.link;
      if (lease.fence === fence) session?.leaseCompleted(fence);
      // Somebody else was first. The worker still computes: it is idle when it says so.
      else session?.revoke(lease.fence, "another worker was first");
    }
  }

  #noteSpeed(round: TrainRound, { workerId, leaves, grantedAtMs }: LeaseRecord): void {
    const numSamples = round
      .results()
      .filter(({ leaf }) => leaves.includes(leaf))
      .reduce((sum, result) => sum + result.numSamples, 0);
    this.speeds.completed(workerId, numSamples, this.#modules.clock.now() - grantedAtMs);
  }

  #workerFailed(workerId: string, detail: string): void {
    const session = this.#modules.workers.get(workerId)?.link;
    if (session === undefined || !this.#conduct.failed(workerId)) return;
    const { workers, metrics, notify } = this.#modules;
    const reason = `${workerId} is quarantined: it failed too often in a row, last: ${detail}`;
    workers.quarantine(workerId);
    metrics.workersQuarantined.inc();
    notify("warn", reason);
    this.#releaseLeasesOf(workerId, "quarantined", "quarantined");
    void session.stop(true, reason);
  }

  #releaseLeasesOf(workerId: string, reason: string, event: LeaseEnding): void {
    for (const lease of this.#current?.round.leases.active() ?? []) {
      if (lease.workerId === workerId) this.#revoke(lease.fence, reason, event);
    }
    this.#dispatch();
  }

  #revoke(fence: number, reason: string, event: LeaseEnding): void {
    const round = this.#current?.round;
    const workerId = round?.leases.get(fence)?.workerId;
    const lost = round?.leases.revoke(fence, reason);
    if (round === undefined || workerId === undefined || lost === undefined) return;
    this.#modules.metrics.leases.inc({ event });
    if (lost.leaves.length > 0) round.lost.push(lost);
    this.#modules.workers.get(workerId)?.link?.revoke(fence, reason);
  }

  #schedule(): void {
    const { clock } = this.#modules;
    const { watchMs: intervalMs } = this.#timeouts;
    this.#timer?.cancel();
    this.#tickDueMs = clock.now() + intervalMs;
    this.#timer = clock.setTimer(intervalMs, () => {
      // This process itself stood still. What workers sent meanwhile is read after this; whom we
      // did not listen to has not been silent.
      const pausedMs = clock.now() - this.#tickDueMs;
      if (pausedMs > intervalMs) this.#forgive(pausedMs);
      else this.#tick();
      if (this.#current !== undefined) this.#schedule();
    });
  }

  #forgive(pausedMs: number): void {
    this.#current?.round.leases.forgive(pausedMs);
    for (const { link } of this.#modules.workers.all()) link?.forgive(pausedMs);
    const seconds = (pausedMs / 1000).toFixed(1);
    this.#modules.notify("warn", `the coordinator itself stood still for ${seconds} s`);
  }

  #tick(): void {
    const round = this.#current?.round;
    if (round === undefined) return;
    const { clock, workers, notify } = this.#modules;
    const { joinedMs, leaseMs } = this.#timeouts;
    workers.expireJoined(clock.now(), joinedMs);
    for (const lease of round.leases.expired(clock.now(), leaseMs)) {
      const seconds = ((clock.now() - lease.lastProgressMs) / 1000).toFixed(1);
      notify(
        "warn",
        `step ${round.step}: ${lease.workerId} has not moved in phase ${lease.phase} for ` +
          `${seconds} s; its leaves ${round.leases.unfinished(lease).join(", ")} are leased again`,
      );
      this.#revoke(lease.fence, `nothing moved for ${seconds} s`, "expired");
    }
    this.#cutOffTheSilent(round);
    this.#dispatch();
  }

  /** A frozen worker would otherwise stay, neither idle nor gone. */
  #cutOffTheSilent(round: Round): void {
    const { clock, workers } = this.#modules;
    const { silentWorkerMs: limitMs } = this.#timeouts;
    const busy = new Set(round.leases.active().map(({ workerId }) => workerId));
    for (const { workerId, link } of workers.all()) {
      const sinceMs = link?.busyAndSilentSinceMs;
      if (link === undefined || sinceMs === undefined || busy.has(workerId)) continue;
      const silentMs = clock.now() - sinceMs;
      if (silentMs < limitMs) continue;
      const seconds = (silentMs / 1000).toFixed(1);
      link.refuse(new WireError("streamRefused", `nothing was heard for ${seconds} s`));
    }
  }

  /** Other workers that will take a lease, now or when they are through with the one they have. */
  #others(workerId: string): readonly string[] {
    const leases = this.#current?.round.leases.active() ?? [];
    const sinceMs = this.#modules.clock.now() - this.#timeouts.lateLeaseMs;
    return this.#modules.workers
      .active()
      .filter((worker) => worker.workerId !== workerId)
      .filter(
        ({ workerId: id, link }) =>
          leases.some((lease) => lease.workerId === id) ||
          // One whose lease has just ended for us is about to say so; one that hangs is not.
          (link?.busyAndSilentSinceMs ?? Infinity) > sinceMs,
      )
      .map((worker) => worker.workerId);
  }

  /** Gives idle workers what is free: second tries first, then free leaves, then late ones. */
  #dispatch(): void {
    const { workers, clock, metrics } = this.#modules;
    this.presence.update(this.numWorkers, clock.now());
    const current = this.#current;
    if (current === undefined) return;
    // Who is left finishes what has begun: what is there of it would go to waste.
    if (current.begunAtMs === undefined && !this.presence.isEnough) return;
    const { round } = current;
    const active = workers.active().filter(({ link }) => link?.isIdle === true);
    const idle = new Set(active.map(({ workerId }) => workerId));
    const reserved = new Set<number>();
    current.retries = current.retries.filter((retry) => {
      const leaves = leavesOf(retry.node);
      if (round.leases.unfinished({ leaves }).length === 0) return false;
      const mayBeSame = this.#others(retry.notBy).length === 0;
      const workerId = [...idle].find((id) => id !== retry.notBy || mayBeSame);
      if (workerId === undefined) {
        for (const leaf of leaves) reserved.add(leaf);
        return true;
      }
      this.#grant(round, workerId, leaves, [retry.node]);
      idle.delete(workerId);
      return false;
    });
    const unreserved = round.leases.freeLeaves().filter((leaf) => !reserved.has(leaf));
    const free = this.#dispatchFailed(current, idle, unreserved);
    for (const { workerId, leaves } of planLeases(free, [...idle], this.#roundedLeaves(round))) {
      this.#grant(round, workerId, leaves);
      idle.delete(workerId);
    }
    for (const workerId of idle) {
      const late = round.leases.late(clock.now(), this.#timeouts.lateLeaseMs);
      if (late === undefined) return;
      metrics.secondLeases.inc();
      this.#grant(round, workerId, round.leases.unfinished(late));
    }
  }

  /**
   * What a worker failed goes to one that has not, as long as there is one.
   *
   * @returns the free leaves that are for anyone
   */
  #dispatchFailed(
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
      this.#grant(current.round, workerId, leaves);
      idle.delete(workerId);
      failed = failed.filter((leaf) => !leaves.includes(leaf));
    }
    const all = this.#others("");
    const byEveryone = failed.filter((leaf) => all.every((id) => current.failedBy(leaf).has(id)));
    return [...untouched, ...byEveryone].sort((a, b) => a - b);
  }

  /** Leaves of each node that is rounded: an evaluation has no gradients. */
  #roundedLeaves({ kind }: Round): number | undefined {
    return kind === "train" ? this.#options.roundedLeaves : undefined;
  }

  /** @param leaves ascending */
  #grant(
    round: Round,
    workerId: string,
    leaves: readonly number[],
    wholeNodes?: readonly NodeId[],
  ): void {
    const session = this.#modules.workers.get(workerId)?.link;
    if (session === undefined) return;
    const { metrics, clock, states } = this.#modules;
    const isTraining = round.kind === "train";
    const nodes = wholeNodes ?? nodesToUpload(leaves, this.#roundedLeaves(round));
    const record = round.leases.grant(workerId, leaves, clock.now(), nodes);
    metrics.leases.inc({ event: "issued" });
    if (this.#current !== undefined) this.#current.begunAtMs ??= clock.now();
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
  }
}
