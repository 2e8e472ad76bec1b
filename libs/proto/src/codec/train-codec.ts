/** The two sides of the Train stream. */

import { ostinato } from "../../generated/coordinator.js";
import { createCodec } from "./codec.js";
import type { BodyOf } from "./composites.js";
import { list, oneOf, record, wrapped } from "./composites.js";
import { withSparingFrames } from "./frame-message.js";
import type { CoordinatorMessage, Phase, WorkerMessage } from "./messages.js";
import { leafResult, lease, nodeId, segmentFrame, sha256, tensorFrame } from "./parts.js";
import { enumeration, flag, identifier, prose, uint32 } from "./scalars.js";

type OfWorker<Name extends WorkerMessage["kind"]> = BodyOf<WorkerMessage, Name>;
type OfCoordinator<Name extends CoordinatorMessage["kind"]> = BodyOf<CoordinatorMessage, Name>;

const { Phase: WirePhase } = ostinato.v1;

const workerMessages = createCodec(
  "WorkerMessage",
  ostinato.v1.WorkerMessage,
  oneOf<WorkerMessage, ostinato.v1.WorkerMessage.$Properties>({
    attach: record<OfWorker<"attach">, ostinato.v1.Attach.$Properties>({
      workerId: identifier,
      streamToken: identifier,
      sharesMemory: flag,
    }),
    uploadBegin: record<OfWorker<"uploadBegin">, ostinato.v1.UploadBegin.$Properties>({
      transfer: uint32(),
      jobId: identifier,
      incarnation: uint32(),
      step: uint32(),
      fence: uint32(),
      node: nodeId,
    }),
    frame: wrapped("frame", tensorFrame),
    segmentFrame: wrapped("frame", segmentFrame),
    uploadEnd: record<OfWorker<"uploadEnd">, ostinato.v1.UploadEnd.$Properties>({
      transfer: uint32(),
      leaves: list(leafResult),
      numFrames: uint32(),
      checksum: uint32(),
    }),
    evaluationResult: record<
      OfWorker<"evaluationResult">,
      ostinato.v1.EvaluationResult.$Properties
    >({
      jobId: identifier,
      incarnation: uint32(),
      step: uint32(),
      fence: uint32(),
      leaves: list(leafResult),
    }),
    progress: record<OfWorker<"progress">, ostinato.v1.Progress.$Properties>({
      fence: uint32(),
      phase: enumeration<Phase, ostinato.v1.Phase>({
        prepare: WirePhase.PREPARE,
        forward: WirePhase.FORWARD,
        backward: WirePhase.BACKWARD,
        upload: WirePhase.UPLOAD,
        evaluate: WirePhase.EVALUATE,
      }),
      timeSteps: uint32(),
    }),
    heartbeat: record<object, ostinato.v1.Heartbeat.$Properties>({}),
    returnLeases: record<OfWorker<"returnLeases">, ostinato.v1.ReturnLeases.$Properties>({
      reason: prose,
    }),
    leaseEnded: record<OfWorker<"leaseEnded">, ostinato.v1.LeaseEnded.$Properties>({
      fence: uint32(),
      error: prose,
    }),
  }),
);

const coordinatorMessages = createCodec(
  "CoordinatorMessage",
  ostinato.v1.CoordinatorMessage,
  oneOf<CoordinatorMessage, ostinato.v1.CoordinatorMessage.$Properties>({
    parameters: record<OfCoordinator<"parameters">, ostinato.v1.Parameters.$Properties>({
      transfer: uint32(),
      version: uint32(),
      numFrames: uint32(),
      digest: sha256,
    }),
    frame: wrapped("frame", tensorFrame),
    segmentFrame: wrapped("frame", segmentFrame),
    lease: wrapped("lease", lease),
    revoke: record<OfCoordinator<"revoke">, ostinato.v1.Revoke.$Properties>({
      fence: uint32(),
      reason: prose,
    }),
    uploadRejected: record<OfCoordinator<"uploadRejected">, ostinato.v1.UploadRejected.$Properties>(
      { fence: uint32(), node: nodeId, reason: prose },
    ),
    stop: record<OfCoordinator<"stop">, ostinato.v1.Stop.$Properties>({
      failed: flag,
      reason: prose,
    }),
  }),
);

// The numbers are those of the field `frame` in the .proto file.
export const workerMessageCodec = withSparingFrames("WorkerMessage", 3, workerMessages);
export const coordinatorMessageCodec = withSparingFrames(
  "CoordinatorMessage",
  2,
  coordinatorMessages,
);
