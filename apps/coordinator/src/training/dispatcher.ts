/** Hands the leaves of the current round to whoever is idle, and watches over those who have them. */

import type { WireError } from "@ostinato/proto";
import type { Clock, Logger, Timer } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import { CoordinatorError } from "../errors/index.js";
import { Gatekeeper } from "../gatekeeper/index.js";
import type { LeaseRecord } from "../leases/index.js";
import { LeasePace } from "../leases/index.js";
import type { WorkerTable } from "../membership/index.js";
import { Presence } from "../membership/index.js";
import type { AutopsySources, LeaseEnding, Metrics } from "../ops/index.js";
import type { Progress, SessionHub, WorkerSession } from "../sessions/index.js";
import type { Arithmetic, BufferPool } from "../steps/index.js";
import { Allocation } from "./allocation.js";
import type { CarriedStates } from "./carried-states.js";
import { CurrentRound } from "./current-round.js";
import type { Round, RoundOutcome } from "./current-round.js";
import { Discipline } from "./discipline.js";
import { gateEffects } from "./gate-effects.js";
import { Intake } from "./intake.js";
import type { IntakeOptions } from "./intake.js";
import { LeaseIssuer } from "./lease-issuer.js";
import type { PlannedStep } from "./plan.js";
import { RoundWatch } from "./round-watch.js";
import type { TrainRound } from "./train-round.js";

export interface DispatcherOptions extends IntakeOptions {
  readonly deadlineMs: number;
  /** With fewer no round begins. */
  readonly minWorkers: number;
  readonly numLeaves: number;
  readonly auditSecret: string;
  /** One node in so many steps is computed by a second worker, to compare; null: none. */
  readonly auditEverySteps: number | null;
  /** Names the samples of leaves, for a message about bad data. */
  readonly describeSamples: (planned: PlannedStep, leaves: readonly number[]) => string;
}

export interface DispatcherModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly workers: WorkerTable<WorkerSession>;
  readonly gradients: BufferPool;
  readonly arithmetic: Pick<Arithmetic, "add" | "sha256">;
  readonly states: CarriedStates;
  /** Tells those who watch the run. */
  readonly notify: (level: "info" | "warn", text: string) => void;
  /** Throws if another coordinator has the run: nothing goes out to workers then. */
  readonly requireHeld: () => void;
}

export class Dispatcher implements SessionHub {
  readonly intake: Intake;
  readonly presence: Presence;
  readonly #options: DispatcherOptions;
  readonly #modules: DispatcherModules;
  readonly #discipline: Discipline;
  readonly #timeouts: Timeouts;
  readonly #pace = new LeasePace();
  readonly #gatekeeper: Gatekeeper;
  readonly #issuer: LeaseIssuer;
  readonly #allocation: Allocation;
  readonly #watch: RoundWatch;
  #current: CurrentRound | undefined;
  #failure: Error | undefined;
  #nextFence = 1;
  #isDispatching = false;
  #isDispatchDue = false;
  #lateTimer: Timer | undefined;

  constructor(options: DispatcherOptions, modules: DispatcherModules) {
    this.#options = options;
    this.#modules = modules;
    const { clock, logger, metrics, gradients, workers, arithmetic, states, notify } = modules;
    const { numLeaves, auditSecret, auditEverySteps } = options;
    const timeouts = deriveTimeouts(options.deadlineMs);
    this.#timeouts = timeouts;
    this.presence = new Presence(options.minWorkers, clock.now());
    const current = (): CurrentRound | undefined => this.#current;
    const dispatch = (): void => {
      this.#dispatch();
    };
    const others = (workerId: string): readonly string[] => this.#others(workerId);
    const effects = {
      current,
      revoke: (fence: number, reason: string, event: LeaseEnding) => {
        this.#revoke(fence, reason, event);
      },
      leasesCompleted: (leases: readonly LeaseRecord[], fence: number) => {
        this.#leasesCompleted(leases, fence);
      },
      workerFailed: (workerId: string, detail: string) => {
        this.#discipline.failed(workerId, detail);
      },
      workerSucceeded: (workerId: string) => {
        this.#discipline.succeeded(workerId);
      },
      others,
      dispatch,
      notify,
    };
    this.#discipline = new Discipline({
      ...{ metrics, notify, workers },
      release: (workerId) => {
        this.#releaseLeasesOf(workerId, "quarantined", "quarantined");
      },
    });
    this.intake = new Intake(options, { clock, logger, metrics, gradients, effects });
    this.#gatekeeper = new Gatekeeper(
      {
        audit: { secret: auditSecret, numLeaves, everySteps: auditEverySteps },
        tieMs: timeouts.disagreementMs,
      },
      {
        clock,
        metrics,
        add: (into, other) => arithmetic.add(into, other),
        sha256: (values) => arithmetic.sha256(values),
        release: (buffer) => {
          gradients.release(buffer);
        },
      },
    );
    const isHeld = (): boolean => this.#isHeld();
    const issuer = new LeaseIssuer(options, { clock, metrics, workers, states, isHeld });
    this.#issuer = issuer;
    const pace = this.#pace;
    this.#allocation = new Allocation(timeouts, { clock, metrics, pace, issuer, others });
    this.#watch = new RoundWatch(timeouts, {
      ...{ clock, workers, current, dispatch, notify },
      expire: (lease, reason) => {
        this.#current?.leaseExpired(lease);
        this.#revoke(lease.fence, reason, "expired");
      },
    });
  }

  /** The fence of the round's first lease. */
  get nextFence(): number {
    return this.#nextFence;
  }

  /** Of a worker, in samples a second; NaN before its first lease is done. */
  speedOf(workerId: string): number {
    return this.#pace.speedOf(workerId);
  }

  get numWorkers(): number {
    return this.#modules.workers.active().length;
  }

  /** The round being collected, as the autopsy looks at it. */
  get collecting(): AutopsySources["collecting"] {
    const current = this.#current;
    if (current === undefined) return undefined;
    const { round, sinceMs, begunAtMs, retries, gate } = current;
    const { kind, step, leases } = round;
    return { kind, step, leases, sinceMs, begunAtMs, retries, gate: gate?.wait };
  }

  /**
   * Collects a round. `holders` are, by leaf, the workers that computed it and so hold its state; in `waitedMs`
   * of the time nobody was here, or too few for it to begin.
   *
   * @throws {CoordinatorError} `stopped` by the signal; `nonFinite`, `leafFailed` when a leaf can't be had
   */
  async collect(
    round: Round,
    signal: AbortSignal,
  ): Promise<
    RoundOutcome & {
      readonly holders: ReadonlyMap<number, ReadonlySet<string>>;
      readonly waitedMs: number;
    }
  > {
    const stopped = (): CoordinatorError =>
      new CoordinatorError("stopped", "the run is being stopped");
    if (this.#failure !== undefined) throw this.#failure;
    if (signal.aborted) throw stopped();
    const current = new CurrentRound(round, this.#modules.clock.now());
    const onAbort = (): void => {
      current.fail(stopped());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (round.kind === "train") {
      current.gate = this.#gatekeeper.gateOf(round.step, this.#effectsOf(current, round));
    }
    this.#current = current;
    try {
      this.#dispatch();
      this.#watch.start();
      const outcome = await current.ended;
      if (outcome.kind === "complete") current.gate?.commit();
      const { holders, waitedMs } = current;
      return { ...outcome, holders, waitedMs };
    } finally {
      current.waitsForWorkers(false, this.#modules.clock.now());
      this.#modules.metrics.waitSeconds.inc(current.waitedMs / 1000);
      signal.removeEventListener("abort", onAbort);
      this.#watch.stop();
      this.#nextFence = round.leases.nextFence;
      for (const lease of round.leases.active()) {
        this.#revoke(lease.fence, "the round is over", "superseded");
      }
      this.#current = undefined;
      this.#lateTimer?.cancel();
      await current.gate?.close();
    }
  }

  /** Nothing can be collected any more: ends the round that is, with this error, and every later one. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#current?.fail(error);
  }

  #isHeld(): boolean {
    try {
      this.#modules.requireHeld();
      return true;
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
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
    const { workerId } = session;
    const { workers, notify } = this.#modules;
    // It may say so as often as it likes, and is told of once.
    if (workers.get(workerId)?.state === "active") notify("info", `${workerId} leaves: ${reason}`);
    workers.drain(workerId);
    this.#releaseLeasesOf(workerId, reason, "returned");
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
    } else if (error !== "" && !session.isStopping) this.#leaseFailed(workerId, error);
    this.#dispatch();
  }

  closed(session: WorkerSession, error: WireError | undefined): void {
    const { workerId, name } = session;
    const state = this.#modules.workers.get(workerId)?.state;
    this.#modules.workers.remove(workerId);
    this.#discipline.forget(workerId);
    this.#pace.forget(workerId);
    const reason = error === undefined ? "left" : `lost: ${error.message}`;
    // Of one that said it leaves, or was told to, everybody has heard.
    if (state === "active" && !session.isStopping) {
      this.#modules.notify("warn", `${workerId} (${name}) ${reason}`);
    }
    if (error?.code === "unavailable") this.#died(workerId);
    this.#releaseLeasesOf(workerId, reason, "lost");
  }

  /** Nobody sent it away, nor did it say that it goes. */
  #died(workerId: string): void {
    const current = this.#current;
    if (current === undefined) return;
    const { round } = current;
    const options = {
      leavesTogether: this.#issuer.roundedLeaves(round) ?? 1,
      describeSamples:
        round.kind === "train"
          ? (leaves: readonly number[]) => this.#options.describeSamples(round.planned, leaves)
          : undefined,
    };
    for (const lease of round.leases.active()) {
      if (lease.workerId === workerId) current.workerDied(lease, options);
    }
  }

  #leaseFailed(workerId: string, detail: string): void {
    this.#modules.notify("warn", `${workerId} failed a lease: ${detail}`);
    this.#modules.states.forget(workerId);
    this.#discipline.failed(workerId, detail);
  }

  #leasesCompleted(leases: readonly LeaseRecord[], fence: number): void {
    const round = this.#current?.round;
    if (round === undefined) return;
    for (const lease of leases) {
      const { workerId, grantedAtMs } = lease;
      const samples = round.kind === "train" ? round.samplesOf(lease) : { own: 0, all: 0 };
      const session = this.#modules.workers.get(workerId)?.link;
      const elapsedMs = this.#modules.clock.now() - grantedAtMs;
      if (lease.fence === fence) {
        // What a check takes is no measure: its sums are sent leaf by leaf.
        if (lease.checked === undefined) {
          this.#pace.completed(workerId, round.kind, samples, elapsedMs);
        }
        session?.leaseCompleted(fence);
      } else {
        this.#pace.overtaken(workerId, round.kind, samples, elapsedMs);
        // Somebody else was first. The worker still computes: it is idle when it says so.
        session?.revoke(lease.fence, "another worker was first");
      }
    }
  }

  #effectsOf(current: CurrentRound, round: TrainRound): ReturnType<typeof gateEffects> {
    const { notify, workers } = this.#modules;
    return gateEffects(current, round, {
      ...{ notify, workers, intake: this.intake, discipline: this.#discipline },
      others: () => this.#others(""),
      revoke: (fence, reason) => {
        this.#revoke(fence, reason, "superseded");
      },
      completed: (leases, fence) => {
        this.#leasesCompleted(leases, fence);
      },
      describeSamples: (leaves) => this.#options.describeSamples(round.planned, leaves),
      dispatch: () => {
        this.#dispatch();
      },
    });
  }

  #releaseLeasesOf(workerId: string, reason: string, event: LeaseEnding): void {
    for (const lease of this.#current?.round.leases.active() ?? []) {
      if (lease.workerId === workerId) this.#revoke(lease.fence, reason, event);
    }
    this.#dispatch();
  }

  #revoke(fence: number, reason: string, event: LeaseEnding): void {
    const round = this.#current?.round;
    const lease = round?.leases.get(fence);
    const lost = round?.leases.revoke(fence, reason);
    if (round === undefined || lease === undefined || lost === undefined) return;
    this.#modules.metrics.leases.inc({ event });
    if (lease.checked !== undefined) this.#current?.gate?.checkLost(fence);
    else if (lost.leaves.length > 0) round.lost.push(lost);
    this.#modules.workers.get(lease.workerId)?.link?.revoke(fence, reason);
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

  /** Gives idle workers what there is to do. What follows from that in turn is done after it. */
  #dispatch(): void {
    this.#isDispatchDue = true;
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      while (this.#isDispatchDue) {
        this.#isDispatchDue = false;
        this.#allocate();
      }
    } finally {
      this.#isDispatching = false;
    }
  }

  #allocate(): void {
    const { clock, workers } = this.#modules;
    this.presence.update(this.numWorkers, clock.now());
    const current = this.#current;
    if (current === undefined) return;
    // Who is left finishes what has begun: what is there of it would go to waste.
    const mayBegin = current.begunAtMs !== undefined || this.presence.isEnough;
    current.waitsForWorkers(!mayBegin || this.numWorkers === 0, clock.now());
    if (!mayBegin) return;
    // A timer of ours, or a message, may be first after we stood still.
    this.#watch.catchUp();
    const idle = workers.active().filter(({ link }) => link?.isIdle === true);
    const lateAtMs = this.#allocation.allocate(
      current,
      new Set(idle.map(({ workerId }) => workerId)),
    );
    this.#lateTimer?.cancel();
    if (lateAtMs === undefined) return;
    this.#lateTimer = clock.setTimer(lateAtMs - clock.now(), () => {
      this.#dispatch();
    });
  }
}
