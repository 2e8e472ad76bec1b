/** A worker that speaks the protocol and computes what the test says: for wrong and dying workers. */

import { createTextLayout, decodeDataset } from "@ostinato/data";
import { parameterLayout, stateShape } from "@ostinato/lstm";
import type { ModelSpec } from "@ostinato/lstm";
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
import type { RunConfig } from "@ostinato/run";

import { waitFor } from "./waiting.js";

export interface FakeUpload {
  /** What every gradient value of a leaf is. Default 0.001. */
  readonly gradient?: number;
  /** Changes of the messages before they are sent. */
  readonly change?: (message: WorkerMessage) => WorkerMessage | undefined;
}

export class FakeWorker {
  readonly identity: JoinReply;
  readonly leases: Lease[] = [];
  readonly rejections: string[] = [];
  readonly revoked: number[] = [];
  stopped: { readonly failed: boolean; readonly reason: string } | undefined;
  readonly #client: CoordinatorClient;
  readonly #stream: TrainStream<CoordinatorMessage, WorkerMessage>;
  readonly #numParameters: number;
  readonly #stateSizeOf: (leaf: number) => number;
  #transfer = 0;
  #numTaken = 0;

  private constructor(client: CoordinatorClient, identity: JoinReply, numTokens: number) {
    this.identity = identity;
    this.#client = client;
    const config = JSON.parse(identity.configJson) as RunConfig;
    const model = JSON.parse(identity.modelJson) as ModelSpec;
    const { batchSize, sequenceLength, microShards } = config.training;
    if (sequenceLength === null) throw new Error("a fake worker takes text alone");
    const layout = createTextLayout({ numTokens, batchSize, sequenceLength, microShards });
    this.#numParameters = parameterLayout(model).size;
    this.#stateSizeOf = (leaf) => layout.rowsOf(leaf).numRows * stateShape(model).valuesPerRow;
    this.#stream = client.train();
    this.#stream.onMessage((message) => {
      if (message.kind === "lease") this.leases.push(message.lease);
      if (message.kind === "uploadRejected") this.rejections.push(message.reason);
      if (message.kind === "revoke") this.revoked.push(message.fence);
      if (message.kind === "stop") this.stopped = message;
    });
    this.#stream.onClosed(() => undefined);
    const { workerId, streamToken } = identity;
    this.send({ kind: "attach", workerId, streamToken, sharesMemory: false });
  }

  static async join(address: string, name = "fake"): Promise<FakeWorker> {
    const client = createCoordinatorClient(address);
    const identity = await client.join({
      protocolVersion: PROTOCOL_VERSION,
      workerName: name,
      profiles: [{ backend: "wasm", version: "fake", digest: "0".repeat(64) }],
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of client.fetchData(identity.dataDigest)) {
      chunks.push(Uint8Array.from(chunk.payload));
    }
    const dataset = decodeDataset(Buffer.concat(chunks));
    if (dataset.kind !== "text") throw new Error("a fake worker takes text alone");
    return new FakeWorker(client, identity, dataset.splits.train.length);
  }

  send(message: WorkerMessage): void {
    this.#stream.send(message);
  }

  /** The next lease that was not taken yet. */
  async nextLease(): Promise<Lease> {
    const index = this.#numTaken++;
    return waitFor("a lease", () => this.leases[index]);
  }

  uploadMessages(lease: Lease, node: NodeId, gradient = 0.001): readonly WorkerMessage[] {
    const transfer = ++this.#transfer;
    const { jobId, incarnation } = this.identity;
    const { step, fence } = lease;
    const frames: TensorFrame[] = [
      ...encodeFrames({
        transfer,
        transferKind: "gradient",
        // As the sum of equal leaves: the same root whoever has which nodes.
        values: new Float32Array(this.#numParameters).fill(gradient * node.numLeaves),
      }),
    ];
    const leaves = Array.from({ length: node.numLeaves }, (_, i) => node.firstLeaf + i);
    for (const leaf of leaves) {
      const values = new Float32Array(this.#stateSizeOf(leaf));
      frames.push(...encodeFrames({ transfer, transferKind: "carriedState", leaf, values }));
    }
    return [
      { kind: "uploadBegin", transfer, jobId, incarnation, step, fence, node },
      ...frames.map((frame) => ({ kind: "frame", frame }) as const),
      {
        kind: "uploadEnd",
        transfer,
        leaves: leaves.map((leaf) => ({
          leaf,
          lossSum: 1,
          lossWeight: 1,
          numSamples: 1,
          sampleDigest: new Uint8Array(32),
        })),
        numFrames: frames.length,
        checksum: checksumOfFrames(frames.map(({ crc32 }) => crc32)),
      },
    ];
  }

  /** Uploads every node of a lease, or says of an evaluation what it was asked for. */
  complete(lease: Lease, upload: FakeUpload = {}): void {
    const send = (message: WorkerMessage): void => {
      const changed = upload.change === undefined ? message : upload.change(message);
      if (changed !== undefined) this.send(changed);
    };
    if (lease.leaseKind === "train") {
      for (const node of lease.nodes) {
        for (const message of this.uploadMessages(lease, node, upload.gradient)) send(message);
      }
    } else {
      const { jobId, incarnation } = this.identity;
      const { step, fence } = lease;
      const leaves = lease.leaves.map(({ leaf }) => ({
        leaf,
        lossSum: 1,
        lossWeight: 1,
        numSamples: 1,
        sampleDigest: new Uint8Array(32),
      }));
      send({ kind: "evaluationResult", jobId, incarnation, step, fence, leaves });
    }
    this.send({ kind: "leaseEnded", fence: lease.fence, error: "" });
  }

  /** Completes every lease from now on, until it is told to stop. */
  async serve(upload: FakeUpload = {}): Promise<void> {
    while (this.stopped === undefined) {
      const index = this.#numTaken++;
      const lease = await waitFor("a lease or the end", () => this.leases[index] ?? this.stopped);
      if ("failed" in lease) return;
      this.complete(lease, upload);
    }
  }

  /** Goes without a word, as a killed process does. */
  die(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}
