/** Uploads that must not reach the parameters. */

import type { TensorFrame, UploadRejection, WorkerMessage } from "@ostinato/proto";
import type { FaultKind, FaultMoment, PassingMessage } from "../fault-kind.js";
import { bitFlipped, notFinite, scaled } from "./frame-values.js";
import { uploadAgain } from "./passed-upload.js";

function frameOf(message: PassingMessage): TensorFrame {
  if (message.kind !== "frame") throw new Error(`${message.kind} is no frame`);
  return message.frame;
}

const hasValues = (message: PassingMessage): boolean =>
  message.kind === "frame" && message.frame.payload.length > 0;

/** What a worker that computes this would send, checksums and all. */
function forge(
  { upload, message }: FaultMoment,
  change: (frame: TensorFrame) => TensorFrame,
): readonly [WorkerMessage] {
  if (upload !== undefined) upload.isForged = true;
  return [{ kind: "frame", frame: change(frameOf(message)) }];
}

const bitFlip: FaultKind = {
  kind: "frameBitFlip",
  target: "worker",
  phases: ["upload"],
  maxNth: 3,
  takes: hasValues,
  draw: (random) => ({ bit: random(0, 1 << 20) }),
  fire: ({ message, fault, evidence }) => {
    evidence("a bit was flipped");
    return [{ kind: "frame", frame: bitFlipped(frameOf(message), fault.values["bit"] ?? 0) }];
  },
  shows: { rejections: ["checksum"] },
};

const notANumber: FaultKind = {
  kind: "gradientNotFinite",
  target: "worker",
  phases: ["upload"],
  maxNth: 3,
  takes: hasValues,
  fire: (moment) => {
    moment.evidence("a value is no number");
    return forge(moment, notFinite);
  },
  shows: { rejections: ["nonFinite"] },
};

const TOO_LARGE = 1e6;

/** A machine whose gradients are a million times too large. */
const tooLarge: FaultKind = {
  kind: "gradientTooLarge",
  target: "worker",
  phases: ["upload"],
  maxNth: 1,
  // One that recomputes it, and one that tells which of the two is right.
  minAttached: 3,
  takes: (message) => hasValues(message) && frameOf(message).transferKind === "gradient",
  fire: (moment) => {
    if (moment.upload !== undefined) moment.upload.scale = TOO_LARGE;
    moment.evidence("every gradient of the upload is a million times what it was");
    return forge(moment, (frame) => scaled(frame, TOO_LARGE));
  },
  shows: { logLine: "WORKER is quarantined: .*an odd norm" },
};

/** An upload of an earlier step comes again. */
const stale = replayed("uploadStale", ["staleStep"], (upload) => uploadAgain(upload));

/** An upload comes twice. */
const duplicate: FaultKind = {
  kind: "uploadDuplicate",
  target: "worker",
  phases: ["end"],
  maxNth: 1,
  fire: ({ message, slot, upload, fence, evidence }) => {
    if (upload === undefined || message.kind !== "uploadEnd") return undefined;
    evidence("the whole upload came twice");
    slot.expectRejection(fence, ["duplicate", "staleStep", "staleLease"]);
    return [message, ...uploadAgain({ ...upload, end: message })];
  },
  shows: { rejections: ["duplicate", "staleStep", "staleLease"] },
};

/** Values that belong to no place of the parameters. */
const misshaped: FaultKind = {
  kind: "uploadMisshaped",
  target: "worker",
  phases: ["upload"],
  maxNth: 3,
  takes: hasValues,
  draw: (random) => ({ values: random(1, 100_000) }),
  fire: (moment) => {
    moment.evidence("a frame's values are elsewhere");
    const { values = 1 } = moment.fault.values;
    return forge(moment, (frame) => ({ ...frame, firstValue: frame.firstValue + values }));
  },
  shows: { rejections: ["shape", "malformed"] },
};

/** An upload of another run, or of this run's earlier life. */
const foreignJob = replayed("uploadForeignJob", ["foreignJob"], (upload) =>
  uploadAgain(upload, { jobId: "another-run" }),
);
const foreignIncarnation = replayed("uploadForeignIncarnation", ["staleIncarnation"], (upload) =>
  uploadAgain(upload, { incarnation: upload.begin.incarnation + 7 }),
);

/** Sends a whole upload that the worker made before, changed; the present one follows as it is. */
function replayed(
  kind: string,
  rejections: readonly UploadRejection[],
  again: (upload: FaultMoment["slot"]["uploads"][number]) => readonly WorkerMessage[],
): FaultKind {
  return {
    kind,
    target: "worker",
    phases: ["begin"],
    maxNth: 1,
    fire: ({ message, slot, evidence }) => {
      const before = slot.uploads.findLast(
        ({ begin, end }) =>
          end !== undefined && message.kind === "uploadBegin" && begin.step < message.step,
      );
      // A worker that has just come has no past.
      if (before === undefined) return "later";
      evidence(`an upload of step ${before.begin.step} came again`);
      slot.expectRejection(before.begin.fence, rejections);
      return [...again(before), message];
    },
    shows: { rejections },
  };
}

export const UPLOAD_FAULTS: readonly FaultKind[] = [
  bitFlip,
  notANumber,
  tooLarge,
  stale,
  duplicate,
  misshaped,
  foreignJob,
  foreignIncarnation,
];
