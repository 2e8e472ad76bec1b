/** One identity on the Train stream: from `attach` until the stream is over. */

import type {
  CoordinatorMessage,
  JoinReply,
  SegmentFrame,
  TensorFrame,
  WorkerMessage,
} from "@ostinato/proto";
import { carriedBytes, WireError } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";

import { messageOf, WorkerError } from "../errors/index.js";
import type { WorkerMetrics } from "../ops/index.js";
import { rejectionLabel } from "../ops/index.js";
import type { SharedMemory } from "../segments/index.js";
import { ArrivingStates, HeldStates } from "../shard/index.js";
import type { Compute } from "../training/index.js";
import { ParameterVersions } from "../training/index.js";
import { waitMs } from "./backoff.js";
import type { TrainStream } from "./coordinator-link.js";
import { LeaseRunner } from "./lease-runner.js";

/** How a stream comes to a good end; any other end is thrown. */
export type StreamEnd =
  | { readonly kind: "stop"; readonly failed: boolean; readonly reason: string }
  | { readonly kind: "drained" };

export interface AttachedStreamOptions {
  readonly identity: JoinReply;
  /** Values in the flat parameter buffer. */
  readonly numParameters: number;
  /** Values in the flat running statistics. */
  readonly numStatistics: number;
  /** Values in the carried state of each leaf. */
  readonly stateSizes: readonly number[];
}

export interface AttachedStreamModules {
  readonly stream: TrainStream;
  /** With a coordinator on this machine; closed with the stream. */
  readonly memory: SharedMemory | undefined;
  readonly compute: Compute;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
  /** Aborted: the worker drains. */
  readonly drain: AbortSignal;
  /** Called once, when the first parameters or lease are here: this coordinator means it. */
  readonly onServed: () => void;
}

/**
 * Everything here belongs to one incarnation and one identity, and goes with the stream: parameter
 * versions, carried states, leases.
 */
export class AttachedStream {
  readonly #options: AttachedStreamOptions;
  readonly #modules: AttachedStreamModules;
  readonly #versions: ParameterVersions;
  readonly #arriving: ArrivingStates;
  readonly #runner: LeaseRunner;
  readonly #fatal: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  #isDraining = false;
  #isServed = false;

  constructor(options: AttachedStreamOptions, modules: AttachedStreamModules) {
    this.#options = options;
    this.#modules = modules;
    this.#versions = new ParameterVersions(options.numParameters, options.numStatistics);
    this.#arriving = new ArrivingStates(options.stateSizes);
    this.#fatal = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#fatal.catch(() => undefined);
    const { jobId, incarnation, deadlineMs } = options.identity;
    this.#runner = new LeaseRunner(
      { jobId, incarnation, deadlineMs, stateSizes: options.stateSizes },
      {
        compute: modules.compute,
        versions: this.#versions,
        held: new HeldStates(),
        arriving: this.#arriving,
        sink: {
          send: (message) => {
            this.#count("sent", message);
            modules.stream.send(message);
          },
          drained: () => modules.stream.drained().catch(rethrowLost),
        },
        memory: modules.memory,
        clock: modules.clock,
        logger: modules.logger,
        metrics: modules.metrics,
        onFatal: (error) => this.#fail(error),
      },
    );
  }

  /**
   * Serves leases until the coordinator says stop or the worker is drained. When the compute thread
   * dies, idle or not, the leases are returned with that reason.
   *
   * @throws WorkerError `streamLost`, `threadLost`, `protocol`; WireError for a failed stream or a
   *   damaged frame
   */
  async serve(): Promise<StreamEnd> {
    const { compute, stream, memory, drain } = this.#modules;
    const { workerId, streamToken } = this.#options.identity;
    const sharesMemory = memory !== undefined;
    stream.send({ kind: "attach", workerId, streamToken, sharesMemory });
    const received = this.#receive();
    received.catch(() => undefined);
    let onDrain: () => void = () => undefined;
    const drained = new Promise<void>((resolve) => {
      onDrain = resolve;
    }).then(async (): Promise<StreamEnd> => {
      const reason = leavingReason(drain);
      this.#modules.logger.info({ reason }, "returning the leases");
      await this.#leave(received, reason);
      return { kind: "drained" };
    });
    const onLost = (): void => this.#fail(compute.lost.reason);
    if (compute.lost.aborted) onLost();
    else compute.lost.addEventListener("abort", onLost, { once: true });
    if (drain.aborted) onDrain();
    else drain.addEventListener("abort", onDrain, { once: true });
    try {
      return await Promise.race([received, this.#fatal, drained]);
    } catch (error) {
      const isThreadLost = error instanceof WorkerError && error.code === "threadLost";
      if (isThreadLost && !this.#isDraining) await this.#leave(received, error.message);
      throw error;
    } finally {
      compute.lost.removeEventListener("abort", onLost);
      drain.removeEventListener("abort", onDrain);
      // What still computes for this identity is worth nothing any more.
      void this.#runner.stop().then(() => memory?.close());
      stream.end();
      stream.cancel();
    }
  }

  async #receive(): Promise<StreamEnd> {
    let message: CoordinatorMessage | undefined;
    const messages = this.#modules.stream.messages[Symbol.asyncIterator]();
    while ((message = await this.#next(messages)) !== undefined) {
      if (message.kind === "stop") {
        return { kind: "stop", failed: message.failed, reason: message.reason };
      }
      if (!this.#isDraining) this.#handle(message);
    }
    if (this.#isDraining) return { kind: "drained" };
    throw new WorkerError("streamLost", "the coordinator ended the stream");
  }

  async #next(
    messages: AsyncIterator<CoordinatorMessage>,
  ): Promise<CoordinatorMessage | undefined> {
    try {
      const next = await messages.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      return rethrowLost(error);
    }
  }

  /** Gives the leases back at once, and waits until the coordinator knows. */
  async #leave(received: Promise<StreamEnd>, reason: string): Promise<void> {
    const { stream, clock, logger } = this.#modules;
    this.#isDraining = true;
    void this.#runner.stop();
    stream.send({ kind: "returnLeases", reason });
    stream.end();
    // The coordinator ends its side once it has read this; a hung one is not waited for.
    const patience = new AbortController();
    const { returnMs: patienceMs } = deriveTimeouts(this.#options.identity.deadlineMs);
    try {
      await Promise.race([received, waitMs(clock, patienceMs, patience.signal)]);
    } catch (error) {
      logger.debug({ reason: messageOf(error) }, "the stream failed while draining");
    } finally {
      patience.abort();
    }
  }

  #handle(message: Exclude<CoordinatorMessage, { kind: "stop" }>): void {
    const { logger, metrics } = this.#modules;
    switch (message.kind) {
      case "parameters":
        this.#versions.announce(message);
        break;
      case "frame":
        this.#count("received", message);
        this.#receiveFrame(message.frame);
        break;
      case "segmentFrame":
        this.#count("received", message);
        this.#receiveFrame(this.#readShared(message.frame));
        break;
      case "lease":
        this.#serveFirst();
        this.#runner.add(message.lease);
        break;
      case "revoke":
        logger.info({ fence: message.fence, reason: message.reason }, "lease revoked");
        this.#runner.revoke(message.fence);
        break;
      case "uploadRejected":
        metrics.uploadsRejected.inc({ reason: rejectionLabel(message.reason) });
        logger.warn(
          { fence: message.fence, node: message.node, reason: message.reason },
          "upload rejected",
        );
        break;
      default:
        message satisfies never;
    }
  }

  #receiveFrame(frame: TensorFrame): void {
    switch (frame.transferKind) {
      case "parameters":
      case "statistics": {
        const version = this.#versions.receive(frame);
        this.#runner.parametersMoved();
        if (version === undefined) return;
        this.#modules.metrics.parameterVersion.set(version);
        this.#serveFirst();
        break;
      }
      case "carriedState":
        this.#arriving.receive(frame);
        break;
      case "gradient":
      case "moments":
        throw new WorkerError("protocol", `a ${frame.transferKind} frame was sent to a worker`);
      default:
        frame.transferKind satisfies never;
    }
  }

  #readShared(frame: SegmentFrame): TensorFrame {
    const { memory } = this.#modules;
    if (memory === undefined) {
      throw new WorkerError(
        "protocol",
        "a frame in shared memory was sent, which none was asked for",
      );
    }
    return memory.read(frame, this.#versions.destinationOf(frame));
  }

  #serveFirst(): void {
    if (this.#isServed) return;
    this.#isServed = true;
    this.#modules.onServed();
  }

  #count(direction: "sent" | "received", message: CoordinatorMessage | WorkerMessage): void {
    const carried = carriedBytes(message);
    if (carried === undefined) return;
    const { carrier, numBytes } = carried;
    this.#modules.metrics.tensorBytes.inc({ direction, carrier }, numBytes);
  }
}

/** Why the worker drains: asked to by a signal, or because of an error of its own. */
function leavingReason({ reason }: AbortSignal): string {
  return reason instanceof WorkerError ? reason.message : "the worker is asked to leave";
}

/** A WireError stays what it is: its code says whether another attempt makes sense. */
function rethrowLost(error: unknown): never {
  if (error instanceof WireError) throw error;
  throw new WorkerError("streamLost", messageOf(error), { cause: error });
}
