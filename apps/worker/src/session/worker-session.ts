/** A worker's life with its coordinator: join, prepare, serve, and again when the stream is lost. */

import { parameterLayout, statisticsLayout } from "@ostinato/lstm";
import type { JoinReply, NumericsProfile } from "@ostinato/proto";
import { PROTOCOL_VERSION, untilAborted, WireError } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";
import type { Timeouts } from "@ostinato/runtime/timeouts";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";

import { messageOf, WorkerError } from "../errors/index.js";
import type { SessionState, WorkerMetrics } from "../ops/index.js";
import type { SharedMemory } from "../segments/index.js";
import type { Compute } from "../training/index.js";
import type { StreamEnd } from "./attached-stream.js";
import { AttachedStream } from "./attached-stream.js";
import { backoffDelayMs, waitMs } from "./backoff.js";
import type { CoordinatorLink } from "./coordinator-link.js";
import { asFinal, isOfferRefused, isPassing, isRunEnding } from "./faults.js";
import type { Offers } from "./offers.js";
import type { FailedAttempt } from "./outage.js";
import { Outage } from "./outage.js";
import type { Preparation } from "./preparation.js";
import { isSameRun, prepare } from "./preparation.js";

export interface SessionOptions {
  /** For messages to people. */
  readonly address: string;
  readonly workerName: string;
  /** Holds until a coordinator names its own. */
  readonly deadlineMs: number;
  readonly cacheDirectory: string;
}

export interface SessionModules {
  /**
   * A fresh client, which takes a silent coordinator for gone after the deadline; each attempt gets
   * its own, and another one where the run's deadline is not the one it began with.
   */
  readonly connect: (deadlineMs: number) => CoordinatorLink;
  /** What this identity shares with its coordinator; undefined where they don't see the same memory. */
  readonly shareMemory: (identity: JoinReply) => SharedMemory | undefined;
  readonly compute: Compute;
  /** Found with `compute`. */
  readonly offers: Offers;
  readonly clock: Clock;
  /** Uniform in [0, 1); spreads attempts in time and touches no result. */
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
  /** Aborted: give the leases back and leave. */
  readonly drain: AbortSignal;
}

export class WorkerSession {
  readonly #options: SessionOptions;
  readonly #modules: SessionModules;
  #state: SessionState = "joining";
  #firstJobId: string | undefined;
  #deadlineMs: number;
  /** False after it failed once: it is a matter of speed alone. */
  #mayShareMemory = true;

  constructor(options: SessionOptions, modules: SessionModules) {
    this.#options = options;
    this.#modules = modules;
    this.#deadlineMs = options.deadlineMs;
    this.#enter("joining");
  }

  get #timeouts(): Timeouts {
    return deriveTimeouts(this.#deadlineMs);
  }

  get state(): SessionState {
    return this.#state;
  }

  /**
   * Serves one job until it stops or the worker is drained.
   *
   * @throws WorkerError whose message is the one line to end with
   */
  async run(): Promise<StreamEnd> {
    try {
      const begun = await untilAborted(this.#modules.offers.begin(), this.#modules.drain);
      if (begun === "aborted") return { kind: "drained" };
      this.#checkOffers();
      return await this.#serveUntilEnd();
    } finally {
      this.#enter("ended");
    }
  }

  async #serveUntilEnd(): Promise<StreamEnd> {
    const { clock, compute, drain, random } = this.#modules;
    const outage = new Outage(clock);
    for (;;) {
      try {
        outage.attempt();
        return await this.#attempt(outage);
      } catch (error) {
        if (error instanceof WireError && error.code === "sharedMemory") {
          this.#mayShareMemory = false;
        }
        if (drain.aborted || compute.lost.aborted) return this.#drainedOrLost();
        if (isOfferRefused(error) && !this.#modules.offers.isComplete) {
          await untilAborted(
            this.#modules.offers.complete(),
            AbortSignal.any([drain, compute.lost]),
          );
          continue;
        }
        if (isRunEnding(error)) return { kind: "stop", failed: false, reason: messageOf(error) };
        if (!isPassing(error, this.#firstJobId !== undefined))
          throw asFinal(error, this.#options.address);
        this.#enter("joining");
        const failure = outage.failed();
        const { firstPauseMs, longestPauseMs } = this.#timeouts;
        const patienceMs = this.#patienceMs(failure.numLetGo);
        if (failure.elapsedMs >= patienceMs) throw this.#givenUp(failure, error);
        // So that a coordinator that is back is found soon, whatever the deadline.
        const backoff = { firstMs: firstPauseMs, maxMs: longestPauseMs, random };
        const pauseMs = Math.min(
          backoffDelayMs(failure.numAttempts - 1, backoff),
          patienceMs - failure.elapsedMs,
        );
        this.#logRetry(failure, pauseMs, error);
        const waited = await waitMs(clock, pauseMs, AbortSignal.any([drain, compute.lost]));
        if (waited === "aborted") return this.#drainedOrLost();
      }
    }
  }

  /** How long to try: one that was here and went may come back on another machine. */
  #patienceMs(numLetGo: number): number {
    const { awaitReturnMs, giveUpMs } = this.#timeouts;
    return this.#firstJobId === undefined || numLetGo > 0 ? giveUpMs : awaitReturnMs;
  }

  /** From joining to the end of a stream; nearly always with one identity. */
  async #attempt(outage: Outage): Promise<StreamEnd> {
    const { compute, clock, connect, shareMemory, drain, logger, metrics } = this.#modules;
    this.#enter("joining");
    const connectedWithMs = this.#deadlineMs;
    let link = connect(connectedWithMs);
    try {
      let identity = await this.#join(link, this.#patienceMs(0) - outage.elapsedMs);
      const joinedAtMs = clock.now();
      outage.joined();
      if (this.#deadlineMs !== connectedWithMs) {
        // Keepalive is fixed when a connection is made, and derives from the run's deadline.
        link.close();
        link = connect(this.#deadlineMs);
      }
      this.#enter("preparing");
      const prepared = await this.#prepare(link, identity);
      if (prepared === "aborted") return this.#drainedOrLost();
      if (clock.now() - joinedAtMs >= this.#timeouts.freshIdentityMs) {
        // What is prepared stays; the identity may have been forgotten in so long a time.
        const fresh = await this.#join(link, this.#timeouts.giveUpMs);
        if (!isSameRun(identity, fresh)) {
          throw new WorkerError("streamLost", "the coordinator changed while data was loaded");
        }
        identity = fresh;
      }
      this.#enter("attached");
      const attachedAtMs = clock.now();
      const stream = new AttachedStream(
        {
          identity,
          numParameters: parameterLayout(prepared.spec).size,
          numStatistics: statisticsLayout(prepared.spec).size,
          stateSizes: prepared.stateSizes,
        },
        {
          stream: link.train(),
          memory: this.#mayShareMemory ? shareMemory(identity) : undefined,
          compute,
          clock,
          logger,
          metrics,
          drain,
          onServed: () => outage.settled(),
        },
      );
      try {
        return await stream.serve();
      } finally {
        // Taken in for that long, be it without a lease: not a coordinator that refuses this worker.
        if (clock.now() - attachedAtMs >= this.#deadlineMs) outage.settled();
      }
    } finally {
      link.close();
    }
  }

  async #join(link: CoordinatorLink, deadlineMs: number): Promise<JoinReply> {
    const { compute, drain, logger, metrics } = this.#modules;
    const { workerName } = this.#options;
    const { profiles } = this.#modules.offers;
    const identity = await link.join(
      { protocolVersion: PROTOCOL_VERSION, workerName, profiles },
      {
        // With less a coordinator that is there could not answer, and the last attempt would say nothing.
        deadlineMs: Math.max(deadlineMs, this.#timeouts.leastJoinMs),
        signal: AbortSignal.any([drain, compute.lost]),
      },
    );
    this.#checkIdentity(identity, profiles);
    metrics.joins.inc();
    const { workerId, jobId, incarnation, profile } = identity;
    logger.info({ workerId, jobId, incarnation, backend: profile.backend }, "joined");
    return identity;
  }

  #prepare(link: CoordinatorLink, identity: JoinReply): Promise<Preparation | "aborted"> {
    const { compute, clock, drain, logger } = this.#modules;
    const { cacheDirectory } = this.#options;
    const prepared = prepare(identity, { link, compute, cacheDirectory, clock, logger });
    return untilAborted(prepared, AbortSignal.any([drain, compute.lost]));
  }

  /** @throws WorkerError `threadLost`, unless the worker is asked to leave anyway */
  #drainedOrLost(): StreamEnd {
    const { compute, drain } = this.#modules;
    if (!drain.aborted) compute.lost.throwIfAborted();
    return { kind: "drained" };
  }

  #checkIdentity(identity: JoinReply, profiles: readonly NumericsProfile[]): void {
    this.#firstJobId ??= identity.jobId;
    if (identity.jobId !== this.#firstJobId) {
      throw new WorkerError(
        "jobChanged",
        `${this.#options.address} now runs job ${identity.jobId}, not ${this.#firstJobId}; start a new worker to join it`,
      );
    }
    const { backend, version, digest } = identity.profile;
    const isOffered = profiles.some(
      (offer) => offer.backend === backend && offer.version === version && offer.digest === digest,
    );
    if (!isOffered) {
      throw new WorkerError(
        "refused",
        `the run computes with ${backend} ${version}, which this worker did not offer`,
      );
    }
    this.#deadlineMs = identity.deadlineMs;
  }

  #checkOffers(): void {
    const { profiles } = this.#modules.offers;
    if (profiles.length === 0) {
      const { backends } = this.#modules.offers;
      throw new WorkerError("noBackend", `none of the backends ${backends.join(", ")} works here`);
    }
    this.#modules.logger.debug({ profiles }, "numerics profiles");
  }

  #enter(state: SessionState): void {
    this.#state = state;
    this.#modules.metrics.setSessionState(state);
  }

  /** Once an outage where everybody sees it, and for every attempt where one looks for it. */
  #logRetry(failure: FailedAttempt, pauseMs: number, error: unknown): void {
    const { logger } = this.#modules;
    const { address } = this.#options;
    const { numAttempts } = failure;
    const reason = messageOf(error);
    if (numAttempts > 1) {
      logger.debug({ address, numAttempts, pauseMs, reason }, "failed again; trying on");
    } else if (failure.wasJoined) {
      logger.warn({ address, reason }, "the session was lost; joining again");
    } else {
      logger.warn({ address, reason }, "cannot join yet; trying until the deadline");
    }
  }

  #givenUp({ elapsedMs, numAttempts, numLetGo }: FailedAttempt, last: unknown): WorkerError {
    const { address } = this.#options;
    let what = `no coordinator at ${address}`;
    if (numLetGo > 0) what = `no session with the coordinator at ${address} lasts`;
    else if (this.#firstJobId !== undefined) what = `the coordinator at ${address} is gone`;
    const attempts = numAttempts === 1 ? "1 attempt" : `${numAttempts} attempts`;
    const seconds = Math.round(elapsedMs / 100) / 10;
    return new WorkerError(
      "unreachable",
      `${what}: tried for ${seconds} s (${attempts}), last: ${messageOf(last)}`,
      { cause: last },
    );
  }
}
