/** One worker's Train stream, from attach to close: orders what goes out, stages what comes in. */

import type {
  CoordinatorMessage,
  Lease,
  NodeId,
  SegmentFrame,
  TensorFrame,
  TrainStream,
  UploadRejection,
  WorkerMessage,
} from "@ostinato/proto";
import { carriedBytes, encodeFrames, MAX_FRAME_BYTES, WireError } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";
import type { Metrics, RatedLines } from "../ops/index.js";
import type { MemorySharer } from "../segments/index.js";
import type { ParameterVersion, StagedUpload } from "../steps/index.js";
import { SessionBounds } from "./session-bounds.js";

export type UploadBegin = Extract<WorkerMessage, { kind: "uploadBegin" }>;
export type UploadEnd = Extract<WorkerMessage, { kind: "uploadEnd" }>;
export type EvaluationResult = Extract<WorkerMessage, { kind: "evaluationResult" }>;
export type Progress = Extract<WorkerMessage, { kind: "progress" }>;

/** Whoever takes in results. */
export interface UploadHub {
  begin(
    session: WorkerSession,
    begin: UploadBegin,
  ): StagedUpload | { readonly reason: UploadRejection; readonly detail: string };
  finish(session: WorkerSession, begin: UploadBegin, staged: StagedUpload, end: UploadEnd): void;
  /** The upload will not come to its end: its buffer is free again. */
  abandon(staged: StagedUpload): void;
  rejected(
    session: WorkerSession,
    begin: { readonly fence: number; readonly node: NodeId },
    reason: UploadRejection,
    detail: string,
  ): void;
  evaluated(session: WorkerSession, result: EvaluationResult): void;
}

/** Whoever hands out leases. */
export interface SessionHub {
  progress(session: WorkerSession, progress: Progress): void;
  /**
   * A frame went to this worker for its lease, or came from it in an upload that may still become
   * whole: a transfer that moves is no silence, however slow the link.
   */
  moved(fence: number, phase: "download" | "upload"): void;
  leasesReturned(session: WorkerSession, reason: string): void;
  leaseEnded(session: WorkerSession, fence: number, error: string): void;
  closed(session: WorkerSession, error: WireError | undefined): void;
}

export interface WorkerSessionModules {
  readonly hub: SessionHub;
  readonly uploads: UploadHub;
  readonly clock: Clock;
  readonly stream: TrainStream<WorkerMessage, CoordinatorMessage>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Shared by all sessions: why each was ended. */
  readonly lines: RatedLines;
}

function isFullFrame(message: CoordinatorMessage): boolean {
  return message.kind === "frame" && message.frame.payload.byteLength === MAX_FRAME_BYTES;
}

/** Versions a worker keeps; the protocol fixes it at the newest two it was sent. */
const VERSIONS_KEPT = 2;

export class WorkerSession {
  readonly workerId: string;
  readonly name: string;
  readonly #modules: WorkerSessionModules;
  readonly #uploads = new Map<number, { begin: UploadBegin; staged: StagedUpload }>();
  #versionsSent: number[] = [];
  readonly #bounds: SessionBounds;
  #outbox: Promise<void> = Promise.resolve();
  #numQueued = 0;
  #nextTransfer = 1;
  #fence: number | undefined;
  #sharer: MemorySharer | undefined;
  /** What the current lease is computed with, held while the worker may read it in shared memory. */
  #shared: ParameterVersion | undefined;
  #lastHeardMs: number;
  /** By any message, heartbeats too. */
  #heardAtMs: number;
  #isOpen = true;
  #isStopping = false;

  constructor(options: { workerId: string; name: string }, modules: WorkerSessionModules) {
    this.workerId = options.workerId;
    this.name = options.name;
    this.#modules = modules;
    this.#lastHeardMs = modules.clock.now();
    this.#heardAtMs = modules.clock.now();
    this.#bounds = new SessionBounds(modules.clock.now());
    modules.stream.onMessage((message) => {
      this.#receive(message);
    });
    modules.stream.onClosed((error) => {
      this.#close(error);
    });
  }

  /** From now on tensors go through memory that the worker shares with this process. */
  share(sharer: MemorySharer): void {
    this.#sharer = sharer;
  }

  /** Takes a lease now: open, and done with the one before. */
  get isIdle(): boolean {
    return this.#isOpen && this.#fence === undefined;
  }

  /**
   * The worker's own upload made this lease complete: it is as good as idle, its `leaseEnded` is on
   * the way. Waiting for that would hand the next step's leaves to the others.
   */
  leaseCompleted(fence: number): void {
    if (this.#fence === fence) this.#endLease();
  }

  /** It was told that the run is over for it. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** The coordinator stood still for so long, and heard nobody. */
  forgive(pausedMs: number): void {
    this.#lastHeardMs += pausedMs;
    this.#heardAtMs += pausedMs;
  }

  /** When the worker's process last showed that it is there. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Since when the worker has not said a word but heartbeats, while it has a lease to end; undefined if it is idle. */
  get busyAndSilentSinceMs(): number | undefined {
    return this.#isOpen && this.#fence !== undefined ? this.#lastHeardMs : undefined;
  }

  /** Sends the carried states that the worker lacks, the lease, and the parameters if it lacks them. */
  grant(
    lease: Omit<Lease, "transfer">,
    version: ParameterVersion,
    states: ReadonlyMap<number, Float32Array>,
  ): void {
    this.#fence = lease.fence;
    this.#lastHeardMs = this.#modules.clock.now();
    const needsVersion = !this.#versionsSent.includes(version.version);
    if (needsVersion) {
      this.#versionsSent = [...this.#versionsSent, version.version].slice(-VERSIONS_KEPT);
    }
    const { hub } = this.#modules;
    version.hold();
    const sharer = this.#sharer;
    if (sharer !== undefined && needsVersion) this.#shared = version.hold();
    const send = async (): Promise<void> => {
      try {
        const transfer = states.size === 0 ? 0 : this.#nextTransfer++;
        for (const [leaf, values] of states) {
          const frames = encodeFrames({ transfer, transferKind: "carriedState", leaf, values });
          for (const frame of frames) {
            await this.#send({ kind: "frame", frame });
            hub.moved(lease.fence, "download");
          }
        }
        // Before the parameters: its data is prepared while these are on their way.
        await this.#send({ kind: "lease", lease: { ...lease, transfer } });
        if (needsVersion) {
          for (const message of version.messages(this.#nextTransfer++, sharer !== undefined)) {
            await this.#send(message);
            hub.moved(lease.fence, "download");
          }
        }
        // What still queues is a copy, but no more of it should be made than the peer takes.
        if (needsVersion) await this.#modules.stream.drained();
      } finally {
        version.letGo();
      }
    };
    this.#enqueue(send, () => {
      version.letGo();
    });
  }

  revoke(fence: number, reason: string): void {
    this.#dropUploads(fence);
    this.#enqueue(() => this.#send({ kind: "revoke", fence, reason }));
  }

  /** Tells the worker that the run is over for it, and ends the stream once that is sent. */
  async stop(failed: boolean, reason: string): Promise<void> {
    this.#isStopping = true;
    this.#enqueue(async () => {
      await this.#send({ kind: "stop", failed, reason });
      this.#modules.stream.end();
    });
    await this.#outbox;
  }

  /** Ends the stream at once: the peer broke the protocol. */
  refuse(error: WireError): void {
    const { logger, lines, clock } = this.#modules;
    const line = lines.take(`${this.workerId}: ${error.message}`, clock.now());
    if (line !== undefined) logger.warn({ worker: this.workerId }, line);
    this.#modules.stream.end(error);
    this.#close(error);
  }

  /** Of a stream that could not be attached, and ends: nobody hears of it as of a worker lost. */
  reject(): void {
    this.#isOpen = false;
  }

  #enqueue(task: () => Promise<void>, onSkipped: () => void = () => undefined): void {
    this.#numQueued += 1;
    const problem = this.#isOpen ? this.#bounds.queueProblem(this.#numQueued) : undefined;
    if (problem !== undefined) this.refuse(problem);
    this.#outbox = this.#outbox.then(async () => {
      this.#numQueued -= 1;
      if (!this.#isOpen) {
        onSkipped();
        return;
      }
      try {
        await task();
      } catch (error) {
        this.#close(
          error instanceof WireError ? error : new WireError("unavailable", String(error)),
        );
      }
    });
  }

  async #send(message: CoordinatorMessage): Promise<void> {
    if (!this.#isOpen) return;
    this.#count("sent", message);
    if (!this.#modules.stream.send(message)) await this.#modules.stream.drained();
    // A full frame is about a millisecond of copies: others have their turn before the next one.
    if (isFullFrame(message)) await this.#modules.clock.nextTurn();
  }

  #receive(message: WorkerMessage): void {
    if (!this.#isOpen) return;
    const { hub, uploads, clock } = this.#modules;
    this.#heardAtMs = clock.now();
    // That the process is there says nothing of what it is asked to do.
    if (message.kind === "heartbeat") return;
    this.#lastHeardMs = clock.now();
    switch (message.kind) {
      case "attach":
        this.refuse(new WireError("badMessage", "the stream is attached already"));
        return;
      case "uploadBegin":
        this.#beginUpload(message);
        return;
      case "frame":
        this.#count("received", message);
        this.#receiveFrame(message.frame.transfer, () => message.frame);
        return;
      case "segmentFrame":
        this.#count("received", message);
        this.#receiveFrame(message.frame.transfer, ({ gradient }) =>
          this.#readShared(message.frame, gradient),
        );
        return;
      case "uploadEnd": {
        const upload = this.#uploads.get(message.transfer);
        this.#uploads.delete(message.transfer);
        if (upload !== undefined) uploads.finish(this, upload.begin, upload.staged, message);
        return;
      }
      case "evaluationResult":
        uploads.evaluated(this, message);
        return;
      case "progress":
        hub.progress(this, message);
        return;
      case "returnLeases":
        this.#dropUploads();
        hub.leasesReturned(this, message.reason);
        return;
      case "leaseEnded":
        if (this.#fence === message.fence) this.#endLease();
        this.#dropUploads(message.fence);
        // It may have failed for want of parameters: what was sent is no longer taken for granted.
        if (message.error !== "") this.#versionsSent = [];
        hub.leaseEnded(this, message.fence, message.error);
        return;
      default:
        message satisfies never;
    }
  }

  #receiveFrame(transfer: number, read: (staged: StagedUpload) => TensorFrame | undefined): void {
    const upload = this.#uploads.get(transfer);
    if (upload === undefined) return; // of an upload that was refused or revoked
    const frame = read(upload.staged);
    if (frame === undefined) return;
    upload.staged.receive(frame);
    if (!upload.staged.hasFailed) this.#modules.hub.moved(upload.begin.fence, "upload");
  }

  /** A frame of shared memory; its stream is ended where that fails, so that the worker comes back without. */
  #readShared(frame: SegmentFrame, gradient: Float32Array): TensorFrame | undefined {
    const { stream, clock } = this.#modules;
    const sharer = this.#sharer;
    try {
      if (sharer === undefined) {
        throw new WireError("sharedMemory", "the worker said that it shares no memory");
      }
      const read = sharer.read(frame, gradient);
      // Messages of frames are short and come many at once; what each one makes us do is not.
      stream.pause();
      void clock.nextTurn().then(() => {
        stream.resume();
      });
      return read;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.refuse(error);
      return undefined;
    }
  }

  #count(direction: "sent" | "received", message: CoordinatorMessage | WorkerMessage): void {
    const carried = carriedBytes(message);
    if (carried === undefined) return;
    const { carrier, numBytes } = carried;
    this.#modules.metrics.tensorBytes.inc({ direction, carrier }, numBytes);
  }

  #endLease(): void {
    this.#fence = undefined;
    this.#shared?.letGo();
    this.#shared = undefined;
  }

  #beginUpload(begin: UploadBegin): void {
    const { uploads } = this.#modules;
    if (this.#uploads.has(begin.transfer)) {
      this.refuse(new WireError("badMessage", `transfer ${begin.transfer} has begun already`));
      return;
    }
    const isAgain = [...this.#uploads.values()].some(
      ({ begin: other }) =>
        other.fence === begin.fence && other.node.firstLeaf === begin.node.firstLeaf,
    );
    const begun = isAgain
      ? ({ reason: "duplicate", detail: "this node is being uploaded already" } as const)
      : uploads.begin(this, begin);
    if ("reason" in begun) {
      uploads.rejected(this, begin, begun.reason, begun.detail);
      return;
    }
    this.#uploads.set(begin.transfer, { begin, staged: begun });
  }

  /** Forgets the uploads of one fence, or all. */
  #dropUploads(fence?: number): void {
    for (const [transfer, { begin, staged }] of this.#uploads) {
      if (fence !== undefined && begin.fence !== fence) continue;
      this.#uploads.delete(transfer);
      this.#modules.uploads.abandon(staged);
    }
  }

  /** For the hub: tells the worker of a refused upload. */
  sendRejection(fence: number, node: NodeId, reason: string): void {
    const problem = this.#isOpen
      ? this.#bounds.refusalProblem(this.#modules.clock.now())
      : undefined;
    if (problem !== undefined) this.refuse(problem);
    this.#enqueue(() => this.#send({ kind: "uploadRejected", fence, node, reason }));
  }

  #close(error: WireError | undefined): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#dropUploads();
    this.#endLease();
    this.#sharer?.leave();
    this.#modules.hub.closed(this, error);
  }
}
