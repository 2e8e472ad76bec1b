/** Runs leases one after the other: state and parameters in, gradients or losses out. */

import type { Lease, WorkerMessage } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";

import { messageOf, WorkerError } from "../errors/index.js";
import type { WorkerMetrics } from "../ops/index.js";
import type { ArrivingStates, HeldStates } from "../shard/index.js";
import { initialStates } from "../shard/index.js";
import type { Compute, GradientMemory, MessageSink, ParameterVersions } from "../training/index.js";
import { LeaseUpload } from "../training/index.js";
import type { HeldVersion } from "../training/index.js";
import { Heartbeat } from "./heartbeat.js";
import { ProgressThrottle } from "./progress-throttle.js";

export interface LeaseRunnerOptions {
  readonly jobId: string;
  readonly incarnation: number;
  readonly deadlineMs: number;
  readonly stateSizes: readonly number[];
}

export interface LeaseRunnerModules {
  readonly compute: Compute;
  readonly versions: ParameterVersions;
  readonly held: HeldStates;
  readonly arriving: ArrivingStates;
  readonly sink: MessageSink;
  readonly memory: GradientMemory | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
  /** Called when no lease can be run any more; the reason ends the session. */
  readonly onFatal: (error: unknown) => void;
}

interface QueuedLease {
  readonly lease: Lease;
  readonly abort: AbortController;
}

/**
 * Each lease ends with `leaseEnded`, whatever became of it: done and revoked with an empty error,
 * failed with the reason. A lease may come before its parameters are complete; it waits for them.
 */
export class LeaseRunner {
  readonly #options: LeaseRunnerOptions;
  readonly #modules: LeaseRunnerModules;
  readonly #queue: QueuedLease[] = [];
  readonly #frameWaiters = new Set<() => void>();
  #running: Promise<void> | undefined;
  #isStopped = false;
  #lastTransfer = 0;

  constructor(options: LeaseRunnerOptions, modules: LeaseRunnerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  add(lease: Lease): void {
    if (this.#isStopped) return;
    this.#queue.push({ lease, abort: new AbortController() });
    this.#running ??= this.#runQueue();
  }

  revoke(fence: number): void {
    for (const queued of this.#queue) {
      if (queued.lease.fence === fence) queued.abort.abort();
    }
  }

  /** A frame of parameters came; a version may be complete. */
  parametersMoved(): void {
    for (const wake of this.#frameWaiters) wake();
  }

  /** Cancels everything and sends nothing more; resolves when nothing runs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const queued of this.#queue) queued.abort.abort();
    await this.#running;
  }

  async #runQueue(): Promise<void> {
    try {
      for (let queued = this.#queue[0]; queued !== undefined; queued = this.#queue[0]) {
        await this.#run(queued);
        this.#queue.shift();
      }
    } catch (error) {
      this.#isStopped = true;
      this.#modules.onFatal(error);
    } finally {
      this.#running = undefined;
    }
  }

  async #run({ lease, abort }: QueuedLease): Promise<void> {
    const { clock, logger, metrics } = this.#modules;
    const startedAtMs = clock.now();
    const progress = new ProgressThrottle(
      { deadlineMs: this.#options.deadlineMs },
      {
        clock,
        send: (report) => this.#send({ kind: "progress", fence: lease.fence, ...report }),
      },
    );
    const { deadlineMs } = this.#options;
    const heartbeat = new Heartbeat(
      { deadlineMs },
      { clock, beat: () => this.#send({ kind: "heartbeat" }) },
    );
    const fields = { fence: lease.fence, step: lease.step, kind: lease.leaseKind };
    let error = "";
    let fault: WorkerError | undefined;
    let outcome: "done" | "revoked" | "failed" = "done";
    let version: HeldVersion | undefined;
    try {
      progress.report({ phase: "prepare", timeSteps: 0 });
      this.#prepareAhead(lease);
      version = await this.#acquireVersion(lease.version, progress, abort.signal);
      if (lease.leaseKind === "train") await this.#train(lease, version, progress, abort.signal);
      else await this.#evaluate(lease, version, progress, abort.signal);
      abort.signal.throwIfAborted();
    } catch (thrown) {
      if (abort.signal.aborted) {
        outcome = "revoked";
      } else if (thrown instanceof WorkerError && isLeaseFault(thrown)) {
        outcome = "failed";
        fault = thrown;
        error = messageOf(thrown);
      } else {
        throw thrown;
      }
    } finally {
      version?.release();
      progress.stop();
      heartbeat.stop();
    }
    metrics.leases.inc({ kind: lease.leaseKind, outcome });
    const durationMs = Math.round(clock.now() - startedAtMs);
    if (outcome === "failed") logger.warn({ ...fields, error, err: fault }, "lease failed");
    else logger.debug({ ...fields, outcome, durationMs }, "lease ended");
    this.#send({ kind: "leaseEnded", fence: lease.fence, error });
  }

  async #train(
    lease: Lease,
    version: HeldVersion,
    progress: ProgressThrottle,
    signal: AbortSignal,
  ): Promise<void> {
    const { arriving, compute, held, memory, metrics, sink } = this.#modules;
    const { jobId, incarnation, stateSizes } = this.#options;
    const leaves = sortedLeaves(lease.leaves);
    const states = initialStates({ lease: { ...lease, leaves }, stateSizes, held, arriving });
    const upload = new LeaseUpload(
      { jobId, incarnation, step: lease.step, fence: lease.fence, nodes: lease.nodes },
      {
        ...{ sink, memory, signal, nextTransfer: () => ++this.#lastTransfer },
        recycle: (values) => compute.recycle(values),
      },
    );
    const timer = metrics.startPhases(this.#modules.clock);
    try {
      timer.enter("prepare");
      const trained = await compute.train(
        {
          step: lease.step,
          epochStep: lease.epochStep,
          version: version.version,
          parameters: version.values,
          statistics: version.statistics,
          nodes: lease.nodes,
          leaves: leaves.map(({ leaf }) => leaf),
          states,
        },
        {
          onGradient: (slice) => upload.gradient(slice),
          onProgress: (phase, timeSteps) => {
            timer.enter(phase);
            progress.report({ phase, timeSteps });
          },
        },
        signal,
      );
      for (const { result, state } of trained) {
        held.store(result.leaf, lease.step, state);
        metrics.samples.inc(result.numSamples);
      }
      timer.enter("upload");
      progress.report({ phase: "upload", timeSteps: 0 });
      await upload.finish(trained);
    } finally {
      timer.end();
    }
  }

  async #evaluate(
    lease: Lease,
    version: HeldVersion,
    progress: ProgressThrottle,
    signal: AbortSignal,
  ): Promise<void> {
    const { compute, metrics, sink } = this.#modules;
    const { jobId, incarnation } = this.#options;
    const timer = metrics.startPhases(this.#modules.clock);
    timer.enter("evaluate");
    const leaves = await compute
      .evaluate(
        {
          split: lease.split,
          version: version.version,
          parameters: version.values,
          statistics: version.statistics,
          leaves: lease.leaves.map(({ leaf }) => leaf).sort((a, b) => a - b),
        },
        { onProgress: (phase, timeSteps) => progress.report({ phase, timeSteps }) },
        signal,
      )
      .finally(() => timer.end());
    signal.throwIfAborted();
    const { step, fence } = lease;
    this.#send({ kind: "evaluationResult", jobId, incarnation, step, fence, leaves });
    await sink.drained();
  }

  /** While the parameters are on their way, the lease's data is prepared. */
  #prepareAhead({ leaseKind, version, step, epochStep, leaves }: Lease): void {
    const { compute, versions } = this.#modules;
    if (leaseKind !== "train" || versions.has(version)) return;
    const task = { step, epochStep, leaves: sortedLeaves(leaves).map(({ leaf }) => leaf) };
    // What is wrong with it, the lease's own task says.
    compute.prepareBatch(task).catch(() => undefined);
  }

  /** The version, waited for while it is still to come; each of its frames renews the lease. */
  async #acquireVersion(
    version: number,
    progress: ProgressThrottle,
    signal: AbortSignal,
  ): Promise<HeldVersion> {
    for (;;) {
      signal.throwIfAborted();
      const { versions } = this.#modules;
      const held = versions.acquire(version);
      if (held !== undefined) return held;
      // One that never came is on its way, whatever its number: an average is sent before the parameters of its step.
      if (versions.wasEvicted(version)) {
        throw new WorkerError(
          "badLease",
          `parameters ${version} are no longer here, the newest are ${versions.newest}`,
        );
      }
      await this.#nextFrame(signal);
      progress.report({ phase: "prepare", timeSteps: 0 });
    }
  }

  #nextFrame(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#frameWaiters.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#frameWaiters.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  #send(message: WorkerMessage): void {
    if (!this.#isStopped) this.#modules.sink.send(message);
  }
}

function sortedLeaves(leaves: Lease["leaves"]): Lease["leaves"] {
  return [...leaves].sort((a, b) => a.leaf - b.leaf);
}

/** Faults that end a lease; any other ends the session. */
function isLeaseFault(error: WorkerError): boolean {
  return error.code === "badLease" || error.code === "compute";
}
