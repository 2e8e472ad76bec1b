/** What those who follow a run are told: Status and Watch. */

import { ostinato } from "../../generated/coordinator.js";
import { createCodec } from "./codec.js";
import type { BodyOf } from "./composites.js";
import { list, nothing, oneOf, record } from "./composites.js";
import type { StatusReply, WatchEvent } from "./messages.js";
import { workerStatus } from "./parts.js";
import { choice, flag, float64, identifier, prose, text, uint32 } from "./scalars.js";

type Of<Name extends WatchEvent["kind"]> = BodyOf<WatchEvent, Name>;

export const statusRequestCodec = createCodec<undefined, ostinato.v1.StatusRequest.$Properties>(
  "StatusRequest",
  ostinato.v1.StatusRequest,
  nothing,
);

export const watchRequestCodec = createCodec<undefined, ostinato.v1.WatchRequest.$Properties>(
  "WatchRequest",
  ostinato.v1.WatchRequest,
  nothing,
);

export const statusReplyCodec = createCodec(
  "StatusReply",
  ostinato.v1.StatusReply,
  record<StatusReply, ostinato.v1.StatusReply.$Properties>({
    jobId: identifier,
    incarnation: uint32(),
    state: text,
    step: uint32(),
    totalSteps: uint32(),
    epoch: uint32(),
    loss: float64,
    workers: list(workerStatus),
    waitingFor: prose,
    runDirectory: prose,
    metricsAddress: text,
    deadlineMs: uint32(),
    stalled: flag,
    minWorkers: uint32(),
    samplesPerSecond: float64,
    secondsLeft: float64,
    numLeaves: uint32(),
    leavesDone: uint32(),
    roundSeconds: float64,
    checkpointAgeSeconds: float64,
  }),
);

export const watchEventCodec = createCodec(
  "WatchEvent",
  ostinato.v1.WatchEvent,
  oneOf<WatchEvent, ostinato.v1.WatchEvent.$Properties>({
    step: record<Of<"step">, ostinato.v1.StepCommitted.$Properties>({
      step: uint32(),
      totalSteps: uint32(),
      epoch: uint32(),
      loss: float64,
      learningRate: float64,
      gradientNorm: float64,
      samplesPerSecond: float64,
      workers: uint32(),
      secondsLeft: float64,
      skipped: flag,
      replayed: flag,
    }),
    evaluation: record<Of<"evaluation">, ostinato.v1.EvaluationCommitted.$Properties>({
      step: uint32(),
      split: identifier,
      loss: float64,
      best: flag,
    }),
    notice: record<Of<"notice">, ostinato.v1.Notice.$Properties>({
      level: choice("info", "warn"),
      text: prose,
    }),
    ended: record<Of<"ended">, ostinato.v1.RunEnded.$Properties>({
      outcome: choice("completed", "stopped", "failed"),
      reason: prose,
      step: uint32(),
      parametersSha256: text,
    }),
  }),
);
