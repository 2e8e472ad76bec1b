/** The upload of one training lease: a numbered transfer for each of its nodes. */

import type {
  NodeId,
  SegmentFrame,
  TensorFrame,
  TransferKind,
  ValuesOf,
  WorkerMessage,
} from "@ostinato/proto";
import { checksumOfFrames, encodeFrames, encodeGradientFrames, scanRows } from "@ostinato/proto";

import type { GradientSlice, TrainedLeaf } from "./compute.js";

/** Where messages go, in order. */
export interface MessageSink {
  send(message: WorkerMessage): void;
  /** Resolves when what was sent has left this process's buffers; rejects when the stream ended. */
  drained(): Promise<void>;
}

export interface LeaseUploadOptions {
  readonly jobId: string;
  readonly incarnation: number;
  readonly step: number;
  readonly fence: number;
  readonly nodes: readonly NodeId[];
}

/**
 * Of a matrix of which no more of the rows have a gradient the rest is left out, which only the stream can: in memory each value
 * is written, read and checked.
 */
const FEW_ROWS = 1 / 4;

/** Where gradients may be put beside the stream. */
export interface GradientMemory {
  /** See SharedMemory.write. */
  write(node: number, frame: TensorFrame): SegmentFrame | undefined;
}

type FrameMessage = Extract<WorkerMessage, { kind: "frame" | "segmentFrame" }>;

interface NodeTransfer {
  /** Among those of the lease. */
  readonly index: number;
  readonly node: NodeId;
  readonly transfer: number;
  readonly crcs: number[];
}

/**
 * Sends gradient slices as they come, interleaved among the nodes, then for each node the
 * carried states and moments of its leaves and the end with their results.
 *
 * Sending waits for the stream to drain after each frame, so that at most one lease's gradients
 * wait in this process. Calls are put in a queue and keep their order.
 */
export class LeaseUpload {
  readonly #options: LeaseUploadOptions;
  readonly #sink: MessageSink;
  readonly #memory: GradientMemory | undefined;
  readonly #signal: AbortSignal;
  readonly #recycle: (values: GradientSlice["values"]) => void;
  readonly #transfers: readonly NodeTransfer[];
  readonly #begun = new Set<number>();
  #queue: Promise<void> = Promise.resolve();

  /**
   * @param modules.signal aborted: nothing more is sent, and `finish` resolves early
   * @param modules.memory of a machine that is the coordinator's too
   */
  constructor(
    options: LeaseUploadOptions,
    modules: {
      readonly sink: MessageSink;
      readonly nextTransfer: () => number;
      readonly signal: AbortSignal;
      readonly memory: GradientMemory | undefined;
      /** Takes a slice's values when they are out. */
      readonly recycle: (values: GradientSlice["values"]) => void;
    },
  ) {
    this.#options = options;
    this.#sink = modules.sink;
    this.#memory = modules.memory;
    this.#signal = modules.signal;
    this.#recycle = modules.recycle;
    this.#transfers = options.nodes.map((node, index) => ({
      index,
      node,
      transfer: modules.nextTransfer(),
      crcs: [],
    }));
  }

  gradient(slice: GradientSlice): void {
    const transfer = this.#transfers[slice.node];
    if (transfer === undefined) throw new RangeError(`the lease has no node ${slice.node}`);
    this.#enqueue(() => this.#sendGradient(transfer, slice));
  }

  /** Sends what is left of every node; resolves when all of it is out. Rejects as the sink does. */
  async finish(leaves: readonly TrainedLeaf[]): Promise<void> {
    for (const transfer of this.#transfers) {
      this.#enqueue(() => this.#finishNode(transfer, leaves));
    }
    await this.#queue;
  }

  #enqueue(send: () => Promise<void>): void {
    this.#queue = this.#queue.then(() => (this.#signal.aborted ? undefined : send()));
    // Whoever awaits `finish` hears of it; before that, nobody listens.
    this.#queue.catch(() => undefined);
  }

  async #finishNode(transfer: NodeTransfer, leaves: readonly TrainedLeaf[]): Promise<void> {
    const { firstLeaf, numLeaves } = transfer.node;
    const own = leaves.filter(
      ({ result }) => result.leaf >= firstLeaf && result.leaf < firstLeaf + numLeaves,
    );
    for (const { result, state, moments } of own) {
      await this.#sendTensor(transfer, "carriedState", result.leaf, state);
      await this.#sendTensor(transfer, "moments", result.leaf, moments);
    }
    if (this.#signal.aborted) return;
    this.#begin(transfer);
    this.#sink.send({
      kind: "uploadEnd",
      transfer: transfer.transfer,
      leaves: own.map(({ result }) => result),
      numFrames: transfer.crcs.length,
      checksum: checksumOfFrames(transfer.crcs),
    });
    await this.#sink.drained();
  }

  async #sendTensor<Kind extends TransferKind>(
    transfer: NodeTransfer,
    transferKind: Kind,
    leaf: number,
    values: ValuesOf<Kind>,
  ): Promise<void> {
    const frames = encodeFrames({ transfer: transfer.transfer, transferKind, leaf, values });
    await this.#sendFrames(transfer, frames);
  }

  /** Through memory as far as that goes, and what is left over the stream in as few bytes as can be. */
  async #sendGradient(transfer: NodeTransfer, slice: GradientSlice): Promise<void> {
    const scan = scanRows(slice.values, slice.rowValues);
    const isSparse = scan !== undefined && scan.share <= FEW_ROWS;
    const numShared = isSparse ? 0 : await this.#shareGradient(transfer, slice);
    if (this.#signal.aborted) return;
    const rowValues =
      slice.rowValues > 0 && numShared % slice.rowValues === 0 ? slice.rowValues : 0;
    const frames = encodeGradientFrames({
      ...{ transfer: transfer.transfer, rowValues },
      scan: numShared === 0 ? scan : undefined,
      firstValue: slice.firstValue + numShared,
      values: slice.values.subarray(numShared),
    });
    await this.#sendFrames(transfer, frames);
    this.#recycle(slice.values);
  }

  /** @returns how many values, from the first on, lie in shared memory */
  async #shareGradient(
    transfer: NodeTransfer,
    { firstValue, values }: GradientSlice,
  ): Promise<number> {
    if (this.#memory === undefined) return 0;
    // As they are: the coordinator reads float32 there.
    const dense = { transfer: transfer.transfer, transferKind: "gradient", firstValue } as const;
    let numShared = 0;
    for (const frame of encodeFrames({ ...dense, values })) {
      if (this.#signal.aborted) break;
      const shared = this.#memory.write(transfer.index, frame);
      if (shared === undefined) break;
      numShared += shared.numValues;
      await this.#sendFrame(transfer, { kind: "segmentFrame", frame: shared });
    }
    return numShared;
  }

  async #sendFrames(transfer: NodeTransfer, frames: readonly TensorFrame[]): Promise<void> {
    for (const frame of frames) {
      if (this.#signal.aborted) return;
      await this.#sendFrame(transfer, { kind: "frame", frame });
    }
  }

  async #sendFrame(transfer: NodeTransfer, message: FrameMessage): Promise<void> {
    this.#begin(transfer);
    transfer.crcs.push(message.frame.crc32);
    this.#sink.send(message);
    await this.#sink.drained();
  }

  #begin({ transfer, node }: NodeTransfer): void {
    if (this.#begun.has(transfer)) return;
    this.#begun.add(transfer);
    const { jobId, incarnation, step, fence } = this.#options;
    this.#sink.send({ kind: "uploadBegin", transfer, jobId, incarnation, step, fence, node });
  }
}
