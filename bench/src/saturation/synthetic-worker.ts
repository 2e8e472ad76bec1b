/** A worker as a coordinator sees it, on the real wire, that computes nothing: its gradient is always the same. */
import {
  checksumOfFrames,
  createCoordinatorClient,
  encodeFrames,
  PROTOCOL_VERSION,
} from "@ostinato/proto";
import type {
  CoordinatorClient,
  CoordinatorMessage,
  JoinReply,
  Lease,
  NodeId,
  TensorFrame,
  TrainStream,
  WorkerMessage,
} from "@ostinato/proto";

import type { Gate } from "./gate.js";

const PATIENCE_MS = 600_000;
const PROFILE = { backend: "native", version: "synthetic", digest: "0".repeat(64) } as const;
const SAMPLE_DIGEST = new Uint8Array(32);

/** What all workers do before any of them goes on. */
export interface WorkerGates {
  readonly haveLeases: Gate;
  readonly framesSent: Gate;
}

export interface SyntheticWorkerOptions {
  readonly address: string;
  readonly name: string;
  /** M of the run. */
  readonly microShards: number;
  /** The frames of its gradient, made once for all workers. */
  readonly frames: readonly TensorFrame[];
  /** @returns where to wait for the other workers in the lease's step; undefined: nowhere */
  readonly onLease: (lease: Lease) => WorkerGates | undefined;
  /** Before each upload. */
  readonly onUpload: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** The frames of a gradient whose every value is small and the same. */
export function syntheticFrames(numParameters: number): readonly TensorFrame[] {
  const values = new Float32Array(numParameters).fill(1e-3);
  return encodeFrames({ transfer: 0, transferKind: "gradient", values });
}

export class SyntheticWorker {
  readonly #options: SyntheticWorkerOptions;
  readonly #client: CoordinatorClient;
  readonly #identity: JoinReply;
  readonly #stream: TrainStream<CoordinatorMessage, WorkerMessage>;
  #transfer = 0;
  #isClosed = false;
  /** The version announced last, and how many of its frames are still to come. */
  #arriving = { version: 0, numFrames: 0 };
  #onArrived: (() => void)[] = [];

  /** Joins and serves leases from now on. */
  static async join(options: SyntheticWorkerOptions): Promise<SyntheticWorker> {
    const client = createCoordinatorClient(options.address, { deadlineMs: PATIENCE_MS });
    const request = { protocolVersion: PROTOCOL_VERSION, workerName: options.name };
    const identity = await client.join({ ...request, profiles: [PROFILE] });
    return new SyntheticWorker(options, client, identity);
  }

  private constructor(
    options: SyntheticWorkerOptions,
    client: CoordinatorClient,
    identity: JoinReply,
  ) {
    this.#options = options;
    this.#client = client;
    this.#identity = identity;
    const stream = client.train();
    this.#stream = stream;
    stream.onMessage((message) => {
      if (message.kind === "parameters") {
        const { version, numFrames } = message;
        this.#arriving = { version, numFrames };
      } else if (message.kind === "frame" && message.frame.transferKind === "parameters") {
        // They are let go of: what they cost the coordinator is known by then.
        this.#arriving.numFrames -= 1;
        if (this.#arriving.numFrames === 0) {
          for (const resolve of this.#onArrived.splice(0)) resolve();
        }
      } else if (message.kind === "lease") {
        const gates = options.onLease(message.lease);
        this.#serve(message.lease, gates).catch((error: unknown) => {
          this.#fail(error);
        });
      }
    });
    stream.onClosed((error) => {
      this.#fail(error ?? new Error("the coordinator ended the stream"));
    });
    const { workerId, streamToken } = identity;
    stream.send({ kind: "attach", workerId, streamToken, sharesMemory: false });
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  async #serve(lease: Lease, gates: WorkerGates | undefined): Promise<void> {
    await this.#parametersOf(lease);
    await gates?.haveLeases.arrive();
    const ends: WorkerMessage[] = [];
    for (const node of lease.nodes) ends.push(await this.#upload(lease, node));
    await gates?.framesSent.arrive();
    for (const end of ends) this.#stream.send(end);
    this.#stream.send({ kind: "leaseEnded", fence: lease.fence, error: "" });
  }

  /** Resolves when the lease's version is here: it comes after the lease. */
  async #parametersOf({ version }: Lease): Promise<void> {
    while (this.#arriving.version < version || this.#arriving.numFrames > 0) {
      await new Promise<void>((resolve) => this.#onArrived.push(resolve));
    }
  }

  /** @returns the end of the upload, which is yet to be sent */
  async #upload(lease: Lease, node: NodeId): Promise<WorkerMessage> {
    const { frames, microShards, onUpload } = this.#options;
    const { jobId, incarnation } = this.#identity;
    const { step, fence } = lease;
    onUpload();
    this.#transfer += 1;
    const transfer = this.#transfer;
    const stream = this.#stream;
    stream.send({ kind: "uploadBegin", transfer, jobId, incarnation, step, fence, node });
    for (const frame of frames) {
      if (!stream.send({ kind: "frame", frame: { ...frame, transfer } })) await stream.drained();
    }
    const lossWeight = (lease.lossWeightTotals[0] ?? 0) / microShards;
    const leaves = Array.from({ length: node.numLeaves }, (_, index) => ({
      ...{ leaf: node.firstLeaf + index, lossSum: lossWeight, lossWeight, numSamples: 1 },
      sampleDigest: SAMPLE_DIGEST,
    }));
    const checksum = checksumOfFrames(frames.map(({ crc32 }) => crc32));
    return { kind: "uploadEnd", transfer, leaves, numFrames: frames.length, checksum };
  }

  #fail(error: unknown): void {
    if (!this.#isClosed) this.#options.onFailed(error);
  }
}
