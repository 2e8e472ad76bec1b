import type { ParameterLayout } from "@ostinato/lstm";
import { checksumOfFrames, encodeFrames } from "@ostinato/proto";
import type { CoordinatorMessage, LeafResult, Lease, NodeId, WorkerMessage } from "@ostinato/proto";
import { vi } from "vitest";
import { WorkerSession } from "../../src/sessions/index.js";
import type { WorkerSessionModules } from "../../src/sessions/index.js";
import { FakeStream } from "./fake-stream.js";

export interface FakeUpload {
  /** By leaf: the gradient's every value. */
  readonly gradientOf?: (leaf: number) => number;
  readonly lossOf?: (leaf: number) => number;
  /** By leaf: the one value of its carried state. */
  readonly stateOf?: (leaf: number) => number;
  /** By leaf, flat; of a model that normalizes by batch. */
  readonly momentsOf?: (leaf: number) => readonly number[];
  readonly change?: (message: WorkerMessage) => WorkerMessage;
}

export const NUM_PARAMETERS = 3;
export const PARAMETERS: ParameterLayout = {
  tensors: [{ name: "all", shape: [NUM_PARAMETERS], offset: 0, size: NUM_PARAMETERS }],
  size: NUM_PARAMETERS,
};
export const SAMPLES_PER_LEAF = 2;

/** A worker as the coordinator sees it; its gradient of leaf k is 2^k in every value. */
export class FakeWorker {
  readonly id: string;
  readonly stream = new FakeStream();
  readonly session: WorkerSession;
  #transfer = 0;

  constructor(id: string, modules: Omit<WorkerSessionModules, "stream">) {
    this.id = id;
    this.session = new WorkerSession(
      { workerId: id, name: `host-${id}` },
      { ...modules, stream: this.stream },
    );
  }

  sent<K extends CoordinatorMessage["kind"]>(
    kind: K,
  ): readonly Extract<CoordinatorMessage, { kind: K }>[] {
    return this.stream.sent.filter(
      (message): message is Extract<CoordinatorMessage, { kind: K }> => message.kind === kind,
    );
  }

  /** The lease that comes as the n-th, from 0. */
  async lease(index: number): Promise<Lease> {
    return vi.waitFor(
      () => {
        const message = this.sent("lease")[index];
        if (message === undefined) throw new Error(`${this.id} has no lease ${index}`);
        return message.lease;
      },
      { interval: 1 },
    );
  }

  leavesOf(lease: Lease): readonly number[] {
    return lease.leaves.map(({ leaf }) => leaf);
  }

  say(message: WorkerMessage): void {
    this.stream.deliver(message);
  }

  begin(lease: Lease, node: NodeId, transfer = ++this.#transfer): number {
    const { step, fence } = lease;
    this.say({ kind: "uploadBegin", transfer, jobId: "job", incarnation: 1, step, fence, node });
    return transfer;
  }

  /** Uploads one node of the lease. */
  upload(lease: Lease, node: NodeId, upload: FakeUpload = {}): void {
    const {
      gradientOf = (leaf) => 2 ** leaf,
      lossOf = () => 1,
      stateOf = (leaf: number) => 10 * lease.step + leaf,
      momentsOf = () => [],
    } = upload;
    const leaves = Array.from({ length: node.numLeaves }, (_, i) => node.firstLeaf + i);
    const transfer = ++this.#transfer;
    const sum = leaves.reduce((total, leaf) => total + gradientOf(leaf), 0);
    const values = new Float32Array(NUM_PARAMETERS).fill(sum);
    const frames = [
      ...encodeFrames({ transfer, transferKind: "gradient", values }),
      ...leaves.flatMap((leaf) =>
        encodeFrames({
          transfer,
          transferKind: "carriedState",
          leaf,
          values: Float32Array.of(stateOf(leaf)),
        }),
      ),
      ...leaves.flatMap((leaf) => {
        const values = Float64Array.from(momentsOf(leaf));
        return encodeFrames({ transfer, transferKind: "moments", leaf, values });
      }),
    ];
    const { step, fence } = lease;
    const messages: readonly WorkerMessage[] = [
      { kind: "uploadBegin", transfer, jobId: "job", incarnation: 1, step, fence, node },
      ...frames.map((frame) => ({ kind: "frame", frame }) as const),
      {
        kind: "uploadEnd",
        transfer,
        leaves: leaves.map((leaf) => result(leaf, lossOf(leaf))),
        numFrames: frames.length,
        checksum: checksumOfFrames(frames.map(({ crc32 }) => crc32)),
      },
    ];
    for (const message of messages) this.say(upload.change?.(message) ?? message);
  }

  evaluate(lease: Lease, lossOf: (leaf: number) => number = () => 1): void {
    const { step, fence } = lease;
    const leaves = this.leavesOf(lease).map((leaf) => result(leaf, lossOf(leaf)));
    this.say({ kind: "evaluationResult", jobId: "job", incarnation: 1, step, fence, leaves });
  }

  end(lease: Lease, error = ""): void {
    this.say({ kind: "leaseEnded", fence: lease.fence, error });
  }

  /** Completes each lease as it comes, as `upload` says; undefined leaves it alone. */
  serve(upload: (lease: Lease) => FakeUpload | undefined = () => ({})): void {
    this.stream.onSent = (message) => {
      if (message.kind !== "lease") return;
      const chosen = upload(message.lease);
      if (chosen !== undefined) this.complete(message.lease, chosen);
    };
  }

  /** All nodes of a lease, and its end. */
  complete(lease: Lease, upload: FakeUpload = {}): void {
    if (lease.leaseKind === "train") {
      for (const node of lease.nodes) this.upload(lease, node, upload);
    } else this.evaluate(lease, upload.lossOf);
    this.end(lease);
  }
}

function result(leaf: number, lossSum: number): LeafResult {
  return {
    leaf,
    lossSum,
    lossWeight: SAMPLES_PER_LEAF,
    numSamples: SAMPLES_PER_LEAF,
    sampleDigest: new Uint8Array(32).fill(leaf),
  };
}
