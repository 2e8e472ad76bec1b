/** Protobuf messages: bytes to plain values. */

import type { Codec } from "@ostinato/proto";
import { WIRE_CODECS, WireError } from "@ostinato/proto";
import { isDeepStrictEqual } from "node:util";
import { parserTarget, plainBytes, requireThat } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import * as samples from "./wire-samples.js";

/** Identifiers, enumerations' ends, tags of fields and groups. */
const WORDS = [
  "worker-1",
  "job-1",
  "info",
  "completed",
  "\u0001",
  "\u000b",
  "\u000c",
  "\u001a",
  "\u0022",
  "*",
  "2",
  "\ufeff",
  "\u2028",
  " ",
];

function messageTarget<Value>(
  name: string,
  codec: Codec<Value>,
  seeds: readonly Value[],
): () => FuzzTarget {
  return () =>
    parserTarget<Value>({
      ...{ name, words: WORDS, refusals: [WireError] },
      seeds: seeds.map((value) => plainBytes(codec.encode(value))),
      parse: (input) => codec.decode(input),
      check: (value) => {
        const bytes = plainBytes(codec.encode(value));
        const again = codec.decode(bytes);
        requireThat(isDeepStrictEqual(again, value), () => "a message changes when it is sent on");
        requireThat(
          Buffer.compare(codec.encode(again), bytes) === 0,
          () => "a message has two encodings",
        );
      },
    });
}

const { JoinRequest, JoinReply, WorkerMessage, CoordinatorMessage, ...others } = WIRE_CODECS;
const { FetchDataRequest, DataChunk, StatusRequest, StatusReply, WatchRequest, WatchEvent } =
  others;

export const WIRE_TARGETS = {
  JoinRequest: messageTarget("JoinRequest", JoinRequest, [samples.joinRequest]),
  JoinReply: messageTarget("JoinReply", JoinReply, [samples.joinReply]),
  WorkerMessage: messageTarget("WorkerMessage", WorkerMessage, samples.workerMessages),
  CoordinatorMessage: messageTarget(
    "CoordinatorMessage",
    CoordinatorMessage,
    samples.coordinatorMessages,
  ),
  FetchDataRequest: messageTarget("FetchDataRequest", FetchDataRequest, [{ digest: "ab" }]),
  DataChunk: messageTarget("DataChunk", DataChunk, [samples.dataChunk]),
  StatusRequest: messageTarget("StatusRequest", StatusRequest, [undefined]),
  StatusReply: messageTarget("StatusReply", StatusReply, [samples.statusReply]),
  WatchRequest: messageTarget("WatchRequest", WatchRequest, [undefined]),
  WatchEvent: messageTarget("WatchEvent", WatchEvent, samples.watchEvents),
} as const;
