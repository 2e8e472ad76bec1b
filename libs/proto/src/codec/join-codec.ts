import { ostinato } from "../../generated/coordinator.js";
import { createCodec } from "./codec.js";
import { list, record } from "./composites.js";
import type { JoinReply, JoinRequest } from "./messages.js";
import { numericsProfile } from "./parts.js";
import { identifier, json, prose, text, uint32 } from "./scalars.js";

export const joinRequestCodec = createCodec(
  "JoinRequest",
  ostinato.v1.JoinRequest,
  record<JoinRequest, ostinato.v1.JoinRequest.$Properties>({
    protocolVersion: uint32(),
    workerName: prose,
    profiles: list(numericsProfile, 1),
  }),
);

export const joinReplyCodec = createCodec(
  "JoinReply",
  ostinato.v1.JoinReply,
  record<JoinReply, ostinato.v1.JoinReply.$Properties>({
    workerId: identifier,
    jobId: identifier,
    incarnation: uint32(),
    profile: numericsProfile,
    configJson: json,
    modelJson: json,
    dataDigest: identifier,
    deadlineMs: uint32(1),
    streamToken: identifier,
    segmentFolder: text,
  }),
);
