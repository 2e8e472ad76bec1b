/** An upload as it passed, whole or so far. */

import { checksumOfFrames } from "@ostinato/proto";
import type { WorkerMessage } from "@ostinato/proto";

type Begin = Extract<WorkerMessage, { kind: "uploadBegin" }>;
type End = Extract<WorkerMessage, { kind: "uploadEnd" }>;
type Frame = Extract<WorkerMessage, { kind: "frame" }>;

export interface PassedUpload {
  readonly begin: Begin;
  /** As they went on. */
  readonly frames: Frame[];
  end: End | undefined;
  /** Multiplies what follows; 1: nothing is changed. */
  scale: number;
  /** Frames were changed together with their checksums, as by a worker that computed them so. */
  isForged: boolean;
}

export function passedUpload(begin: Begin): PassedUpload {
  return { begin, frames: [], end: undefined, scale: 1, isForged: false };
}

/** The end that belongs to forged frames. */
export function repaired(upload: PassedUpload, end: End): End {
  if (!upload.isForged) return end;
  return { ...end, checksum: checksumOfFrames(upload.frames.map(({ frame }) => frame.crc32)) };
}

/** Transfers of uploads that are not the worker's own: it counts up from 1. */
let nextForeignTransfer = 1_000_000_000;

/** The upload once more under a transfer of its own, its begin changed. */
export function uploadAgain(
  upload: PassedUpload,
  change: Partial<Omit<Begin, "kind" | "transfer">> = {},
): readonly WorkerMessage[] {
  const transfer = nextForeignTransfer++;
  const { begin, frames, end } = upload;
  return [
    { ...begin, ...change, transfer },
    ...frames.map(({ frame }): WorkerMessage => ({ kind: "frame", frame: { ...frame, transfer } })),
    ...(end === undefined ? [] : [{ ...end, transfer }]),
  ];
}
