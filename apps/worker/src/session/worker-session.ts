/** A worker's life with its coordinator: join, prepare, serve, and again when the stream is lost. */

import type { BackendName } from "@ostinato/kernels/tensor";
import type { ModelSpec } from "@ostinato/lstm";
import { compileModelSpec, parameterLayout } from "@ostinato/lstm";
import type { JoinReply, NumericsProfile } from "@ostinato/proto";
import { PROTOCOL_VERSION, WireError } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";

import { messageOf, WorkerError } from "../errors/index.js";
import type { WorkerMetrics } from "../ops/index.js";
import { loadDataset, readRunSettings } from "../shard/index.js";
import type { Compute } from "../training/index.js";
import { AttachedStream } from "./attached-stream.js";
import type { StreamEnd } from "./attached-stream.js";
import { backoffDelayMs, waitMs } from "./backoff.js";
import type { CoordinatorLink } from "./coordinator-link.js";
import { Outage } from "./outage.js";

/**
 * - `joining`: no identity; calls the coordinator, with pauses.
 * - `preparing`: joined; loads data and model.
 * - `attached`: on the Train stream; computes what it leases.
 * - `ended`: nothing more will happen.
 */
export type SessionState = "joining" | "preparing" | "attached" | "ended";

export interface SessionOptions {
  /** For messages to people. */
  readonly address: string;
  readonly workerName: string;
  /** Holds until a coordinator names its own. */
  readonly deadlineMs: number;
  /** Backends to offer, the preferred one first. */
  readonly backends: readonly BackendName[];
  readonly cacheDirectory: string;
}

export interface SessionModules {
  /**
   * A fresh client, which takes a silent coordinator for gone after the deadline; each attempt gets
   * its own and closes it.
   */
  readonly connect: (deadlineMs: number) => CoordinatorLink;
  readonly compute: Compute;
  readonly clock: Clock;
  /** Uniform in [0, 1); spreads attempts in time and touches no result. */
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
  /** Aborted: give the leases back and leave. */
  readonly drain: AbortSignal;
}

const FIRST_PAUSE_MS = 100;

/** So that a coordinator that is back is found soon, whatever the deadline. */
const LONGEST_PAUSE_MS = 2000;

/** Refusals that another attempt would only repeat. */
const FINAL_REFUSALS: ReadonlySet<WireError["code"]> = new Set([
  "profileRefused",
  "protocolVersion",
  "unknownJob",
  "badMessage",
] as const);

/** Faults of ours that another attempt may mend. */
const PASSING_FAULTS: ReadonlySet<WorkerError["code"]> = new Set([
  "streamLost",
  "protocol",
  "dataCorrupt",
] as const);

export class WorkerSession {
  readonly #options: SessionOptions;
  readonly #modules: SessionModules;
  #state: SessionState = "joining";
  #firstJobId: string | undefined;
  #deadlineMs: number;

  constructor(options: SessionOptions, modules: SessionModules) {
    this.#options = options;
    this.#modules = modules;
    this.#deadlineMs = options.deadlineMs;
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
      const profiles = await this.#profiles();
      if (profiles === "drained") return { kind: "drained" };
      return await this.#serveUntilEnd(profiles);
    } finally {
      this.#state = "ended";
    }
  }

  async #serveUntilEnd(profiles: readonly NumericsProfile[]): Promise<StreamEnd> {
    const { clock, drain, logger, random } = this.#modules;
    const { address } = this.#options;
    const outage = new Outage(clock);
    for (;;) {
      try {
        const end = await this.#attempt(profiles, () => outage.over());
        return end === "drained" ? { kind: "drained" } : end;
      } catch (error) {
        if (drain.aborted) return { kind: "drained" };
        if (!isPassing(error)) throw asFinal(error, address);
        // A stream that was up until now: the outage begins here, not at the attempt before it.
        if (this.#state === "attached" && isStreamLoss(error)) outage.begin();
        this.#state = "joining";
        const { elapsedMs, numAttempts } = outage.failedAttempt();
        if (elapsedMs >= this.#deadlineMs) {
          throw this.#unreachable(elapsedMs, numAttempts, error);
        }
        const pauseMs = Math.min(
          backoffDelayMs(numAttempts - 1, {
            firstMs: FIRST_PAUSE_MS,
            maxMs: LONGEST_PAUSE_MS,
            random,
          }),
          this.#deadlineMs - elapsedMs,
        );
        const fields = { address, numAttempts, pauseMs, reason: messageOf(error) };
        logger.debug(fields, "the coordinator is not reachable; trying again");
        if ((await waitMs(clock, pauseMs, drain)) === "aborted") return { kind: "drained" };
      }
    }
  }

  /** One identity, from joining to the end of its stream. */
  async #attempt(
    profiles: readonly NumericsProfile[],
    onFirstParameters: () => void,
  ): Promise<StreamEnd | "drained"> {
    const { compute, clock, connect, drain, logger, metrics } = this.#modules;
    const { workerName, cacheDirectory } = this.#options;
    this.#state = "joining";
    const link = connect(this.#deadlineMs);
    try {
      const identity = await link.join(
        { protocolVersion: PROTOCOL_VERSION, workerName, profiles },
        { deadlineMs: this.#deadlineMs, signal: drain },
      );
      this.#checkIdentity(identity, profiles);
      metrics.joins.inc();
      const { workerId, jobId, incarnation, profile } = identity;
      logger.info({ workerId, jobId, incarnation, backend: profile.backend }, "joined");
      this.#state = "preparing";
      const prepared = (async () => {
        const spec = readModelSpec(identity.modelJson);
        const settings = readRunSettings(identity.configJson);
        const dataset = await loadDataset(identity.dataDigest, {
          directory: cacheDirectory,
          fetch: (digest) => link.fetchData(digest),
          logger,
        });
        const { backend } = profile;
        return { spec, ...(await compute.prepare({ backend, spec, settings, dataset })) };
      })();
      const ready = await unlessAborted(prepared, drain);
      if (ready === "aborted") return "drained";
      this.#state = "attached";
      const stream = new AttachedStream(
        {
          identity,
          numParameters: parameterLayout(ready.spec).size,
          stateSizes: ready.stateSizes,
        },
        { stream: link.train(), compute, clock, logger, metrics, drain, onFirstParameters },
      );
      return await stream.serve();
    } finally {
      link.close();
    }
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

  async #profiles(): Promise<readonly NumericsProfile[] | "drained"> {
    const { compute, drain, logger } = this.#modules;
    const { backends } = this.#options;
    const offered = await unlessAborted(compute.profiles(backends), drain);
    if (offered === "aborted") return "drained";
    if (offered.length === 0) {
      throw new WorkerError("noBackend", `none of the backends ${backends.join(", ")} works here`);
    }
    logger.debug({ profiles: offered }, "numerics profiles");
    return offered;
  }

  #unreachable(elapsedMs: number, numAttempts: number, last: unknown): WorkerError {
    const { address } = this.#options;
    const what =
      this.#firstJobId === undefined
        ? `no coordinator at ${address}`
        : `the coordinator at ${address} is gone`;
    const attempts = numAttempts === 1 ? "1 attempt" : `${numAttempts} attempts`;
    const seconds = Math.round(elapsedMs / 100) / 10;
    return new WorkerError(
      "unreachable",
      `${what}: tried for ${seconds} s (${attempts}), last: ${messageOf(last)}`,
      { cause: last },
    );
  }
}

function readModelSpec(modelJson: string): ModelSpec {
  try {
    return compileModelSpec(JSON.parse(modelJson));
  } catch (error) {
    throw new WorkerError("refused", `the run's model is not known here: ${messageOf(error)}`);
  }
}

function isStreamLoss(error: unknown): boolean {
  return (
    (error instanceof WorkerError && error.code === "streamLost") ||
    (error instanceof WireError && error.code === "unavailable")
  );
}

function isPassing(error: unknown): boolean {
  if (error instanceof WireError) return !FINAL_REFUSALS.has(error.code);
  return error instanceof WorkerError && PASSING_FAULTS.has(error.code);
}

function asFinal(error: unknown, address: string): WorkerError {
  if (error instanceof WorkerError) return error;
  if (error instanceof WireError) {
    return new WorkerError("refused", `refused by ${address}: ${error.message}`, { cause: error });
  }
  return new WorkerError("compute", messageOf(error), { cause: error });
}

/** The value, or `aborted` as soon as the signal is; what still goes on is nobody's concern then. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | "aborted"> {
  if (signal.aborted) {
    work.catch(() => undefined);
    return "aborted";
  }
  let stop: () => void = () => undefined;
  const aborted = new Promise<"aborted">((resolve) => {
    stop = () => resolve("aborted");
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
