/** One upload on its way in. Nothing of it counts before all of it is here and every check holds. */

import { firstNonFinite, firstNotBfloat16, sumOfSquares } from "@ostinato/kernels";
import { momentsProblem, momentsSize } from "@ostinato/lstm";
import type { StatisticsLayout } from "@ostinato/lstm";
import type { LeafResult, NodeId, TensorFrame, UploadRejection } from "@ostinato/proto";
import { checkFrame, checksumOfFrames, crc32, readFrameInto, WireError } from "@ostinato/proto";
import { leafResultsProblem } from "./leaf-results.js";

export interface UploadShape {
  readonly node: NodeId;
  /** Values in the flat gradient. */
  readonly numParameters: number;
  /** Values of a leaf's carried state. */
  readonly stateSizeOf: (leaf: number) => number;
  /** What each leaf has moments of. */
  readonly statistics: StatisticsLayout;
  /** Whether each value of the gradient must be a bfloat16. */
  readonly isRounded: boolean;
  /** The loss weight of the whole global batch, which no leaf's exceeds. */
  readonly totalLossWeight: number;
}

export interface CompleteUpload {
  readonly node: NodeId;
  readonly gradient: Float32Array;
  /** Euclidean norm of the gradient, summed in the order of the frames. */
  readonly norm: number;
  readonly leaves: readonly LeafResult[];
  readonly states: ReadonlyMap<number, Float32Array>;
  /** By leaf, flat: see `unflattenMoments`. */
  readonly moments: ReadonlyMap<number, Float64Array>;
}

export type UploadOutcome =
  | { readonly kind: "complete"; readonly upload: CompleteUpload }
  | { readonly kind: "rejected"; readonly reason: UploadRejection; readonly detail: string }
  /** `fingerprint`: equal for equal results, whatever bits a machine gives its NaNs. */
  | { readonly kind: "nonFinite"; readonly fingerprint: number; readonly detail: string };

/** Far more than tensors and frame size call for; a peer that cuts finer wants to use up memory. */
const MAX_FRAMES = 1 << 16;

interface Slot<Values extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly buffer: Values;
  numValues: number;
  readonly ranges: [first: number, length: number][];
}

/**
 * Receives the frames of one node's upload into `gradient` (which the caller lends and takes back
 * when the upload is not complete).
 */
export class StagedUpload {
  readonly shape: UploadShape;
  readonly gradient: Float32Array;
  readonly #gradientSlot: Slot;
  readonly #stateSlots = new Map<number, Slot<Float32Array>>();
  readonly #momentSlots = new Map<number, Slot<Float64Array>>();
  readonly #crcs: number[] = [];
  #failure: { reason: UploadRejection; detail: string } | undefined;
  #nonFinite: string | undefined;
  #squareSum = 0;

  constructor(shape: UploadShape, gradient: Float32Array) {
    this.shape = shape;
    this.gradient = gradient;
    this.#gradientSlot = slotFor(gradient);
    const numMoments = momentsSize(shape.statistics);
    const { firstLeaf, numLeaves } = shape.node;
    for (let leaf = firstLeaf; leaf < firstLeaf + numLeaves; leaf++) {
      this.#stateSlots.set(leaf, slotFor(new Float32Array(shape.stateSizeOf(leaf))));
      this.#momentSlots.set(leaf, slotFor(new Float64Array(numMoments)));
    }
  }

  /** Whether a check has failed already: what still comes cannot make it whole. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  receive(frame: TensorFrame): void {
    if (this.#failure !== undefined) return;
    const slot = this.#slotOf(frame);
    if (slot === undefined) {
      this.#fail("shape", `${frame.transferKind} of leaf ${frame.leaf} is not part of this upload`);
      return;
    }
    let length: number;
    try {
      checkFrame(frame);
      length = readFrameInto(frame, slot.buffer);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#fail(error.code === "checksum" ? "checksum" : "shape", error.message);
      return;
    }
    const values = slot.buffer.subarray(frame.firstValue, frame.firstValue + length);
    // While the values are in the cache, and in one pass: the sum is finite if and only if all of them are.
    const squareSum =
      frame.transferKind === "gradient" && values instanceof Float32Array
        ? sumOfSquares(values)
        : undefined;
    const isFinite = squareSum !== undefined && Number.isFinite(squareSum);
    const bad = isFinite ? -1 : indexOfNonFinite(values);
    if (bad >= 0) {
      const what = `${NAMES[frame.transferKind]} value ${frame.firstValue + bad}`;
      const of = frame.transferKind === "gradient" ? "" : ` of leaf ${frame.leaf}`;
      this.#nonFinite ??= `${what}${of} is ${values[bad]}`;
    }
    const exact = this.shape.isRounded ? indexOfUnrounded(frame, values) : -1;
    if (exact >= 0) {
      const value = `gradient value ${frame.firstValue + exact}`;
      this.#fail("malformed", `${value} is ${values[exact]}, which is not rounded to bfloat16`);
      return;
    }
    this.#squareSum += squareSum ?? 0;
    slot.numValues += length;
    if (slot.numValues > slot.buffer.length) {
      this.#fail("shape", "more values than the tensor has");
      return;
    }
    slot.ranges.push([frame.firstValue, length]);
    this.#crcs.push(frame.crc32);
    if (this.#crcs.length > MAX_FRAMES) this.#fail("shape", `more than ${MAX_FRAMES} frames`);
  }

  finish(end: {
    readonly leaves: readonly LeafResult[];
    readonly numFrames: number;
    readonly checksum: number;
  }): UploadOutcome {
    const rejected = (reason: UploadRejection, detail: string): UploadOutcome => ({
      kind: "rejected",
      reason,
      detail,
    });
    if (this.#failure !== undefined) return rejected(this.#failure.reason, this.#failure.detail);
    const checksum = checksumOfFrames(this.#crcs);
    if (end.numFrames !== this.#crcs.length || end.checksum !== checksum) {
      return rejected("checksum", "the frames are not those that the sender summed up");
    }
    if (!isWhole(this.#gradientSlot)) return rejected("shape", "the gradient has gaps or overlaps");
    for (const [leaf, slot] of this.#stateSlots) {
      if (!isWhole(slot)) return rejected("shape", `the carried state of leaf ${leaf} has gaps`);
    }
    for (const [leaf, slot] of this.#momentSlots) {
      if (!isWhole(slot)) return rejected("shape", `the moments of leaf ${leaf} have gaps`);
      const flaw = momentsProblem(this.shape.statistics, slot.buffer);
      if (flaw !== undefined) return rejected("malformed", `moments of leaf ${leaf}: ${flaw}`);
    }
    const problem = leafResultsProblem(this.shape, end.leaves);
    if (problem !== undefined) return rejected("malformed", problem);
    const badLoss = end.leaves.find((leaf) => !Number.isFinite(leaf.lossSum));
    if (badLoss !== undefined) {
      this.#nonFinite ??= `the loss of leaf ${badLoss.leaf} is ${badLoss.lossSum}`;
    }
    if (this.#nonFinite !== undefined) {
      return { kind: "nonFinite", fingerprint: this.#fingerprint(end), detail: this.#nonFinite };
    }
    return {
      kind: "complete",
      upload: {
        node: this.shape.node,
        gradient: this.gradient,
        norm: Math.sqrt(this.#squareSum),
        leaves: [...end.leaves].sort((a, b) => a.leaf - b.leaf),
        states: buffersOf(this.#stateSlots),
        moments: buffersOf(this.#momentSlots),
      },
    };
  }

  /** Overwrites every NaN with the same one; the upload is of no other use any more. */
  #fingerprint(end: { readonly leaves: readonly LeafResult[] }): number {
    const losses = Float64Array.from(end.leaves, ({ lossSum }) => lossSum);
    let crc = 0;
    const slots = [this.#stateSlots, this.#momentSlots].flatMap((byLeaf) => [...byLeaf.values()]);
    for (const { buffer } of [this.#gradientSlot, ...slots]) {
      for (let i = 0; i < buffer.length; i++) if (Number.isNaN(buffer[i])) buffer[i] = NaN;
      crc = crc32(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength), crc);
    }
    for (const [i, loss] of losses.entries()) if (Number.isNaN(loss)) losses[i] = NaN;
    return crc32(new Uint8Array(losses.buffer), crc);
  }

  #slotOf({ transferKind, leaf }: TensorFrame): Slot | undefined {
    switch (transferKind) {
      case "gradient":
        return this.#gradientSlot;
      case "carriedState":
        return this.#stateSlots.get(leaf);
      case "moments":
        return this.#momentSlots.get(leaf);
      case "parameters":
      case "statistics":
        return undefined;
      default:
        return transferKind satisfies never;
    }
  }

  #fail(reason: UploadRejection, detail: string): void {
    this.#failure ??= { reason, detail };
  }
}

const NAMES: Readonly<Record<TensorFrame["transferKind"], string>> = {
  gradient: "gradient",
  carriedState: "carried state",
  moments: "moments",
  parameters: "parameter",
  statistics: "statistics",
};

function slotFor<Values extends Float32Array | Float64Array>(buffer: Values): Slot<Values> {
  return { buffer, numValues: 0, ranges: [] };
}

function buffersOf<Values extends Float32Array | Float64Array>(
  slots: ReadonlyMap<number, Slot<Values>>,
): ReadonlyMap<number, Values> {
  return new Map([...slots].map(([leaf, { buffer }]) => [leaf, buffer]));
}

function indexOfNonFinite(values: Float32Array | Float64Array): number {
  return values instanceof Float32Array
    ? firstNonFinite(values)
    : values.findIndex((value) => !Number.isFinite(value));
}

/** Of a gradient in whichever form it came: values that are not rounded would be other bits. */
function indexOfUnrounded(frame: TensorFrame, values: Float32Array | Float64Array): number {
  const isAny = frame.transferKind === "gradient" && frame.valueFormat !== "bfloat16";
  return isAny && values instanceof Float32Array ? firstNotBfloat16(values) : -1;
}

/** Whether the ranges cover the slot once, without gap or overlap. */
function isWhole(slot: Slot): boolean {
  let next = 0;
  for (const [first, length] of [...slot.ranges].sort((a, b) => a[0] - b[0])) {
    if (first !== next) return false;
    next += length;
  }
  return next === slot.buffer.length;
}
