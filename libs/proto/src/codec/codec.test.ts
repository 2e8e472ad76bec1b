import fc from "fast-check";
import protobuf from "protobufjs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import type { Codec, CoordinatorMessage, JoinReply, WorkerMessage } from "./index.js";
import {
  coordinatorMessageCodec,
  dataChunkCodec,
  fetchDataRequestCodec,
  joinReplyCodec,
  joinRequestCodec,
  statusReplyCodec,
  statusRequestCodec,
  watchEventCodec,
  watchRequestCodec,
  WIRE_CODECS,
  workerMessageCodec,
} from "./index.js";
import { WireError } from "../errors/index.js";
import { MAX_FRAME_BYTES, MAX_FRAME_ROWS, MAX_JSON_LENGTH, MAX_MESSAGE_BYTES } from "../limits.js";
import {
  coordinatorMessages,
  dataChunks,
  joinReplies,
  joinRequests,
  statusReplies,
  watchEvents,
  workerMessages,
} from "../../test/support/arbitraries.js";

// An independent reading of the .proto file: protobufjs' reflection, which needs no generated code.
const root = new protobuf.Root();
root.loadSync(fileURLToPath(new URL("../../proto/ostinato/v1/coordinator.proto", import.meta.url)));

function bytesOf(message: string, fields: Record<string, unknown>): Uint8Array {
  return root.lookupType(`ostinato.v1.${message}`).encode(fields).finish();
}

function errorOf(work: () => unknown): WireError {
  try {
    work();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Values with Buffers (what decoding yields) as plain bytes, so that they compare by content. */
function plain<Value>(value: Value): Value {
  return structuredClone(value);
}

describe("every message", () => {
  function expectRoundTrips<Value>(codec: Codec<Value>, values: fc.Arbitrary<Value>): void {
    fc.assert(
      fc.property(values, (value) => {
        expect(plain(codec.decode(codec.encode(value)))).toEqual(plain(value));
      }),
    );
  }

  it("comes back from its bytes as it was", () => {
    expectRoundTrips(joinRequestCodec, joinRequests);
    expectRoundTrips(joinReplyCodec, joinReplies);
    expectRoundTrips(workerMessageCodec, workerMessages);
    expectRoundTrips(coordinatorMessageCodec, coordinatorMessages);
    expectRoundTrips(dataChunkCodec, dataChunks);
    expectRoundTrips(statusReplyCodec, statusReplies);
    expectRoundTrips(watchEventCodec, watchEvents);
    expectRoundTrips(fetchDataRequestCodec, fc.constant({ digest: "00ff" }));
    expectRoundTrips(statusRequestCodec, fc.constant(undefined));
    expectRoundTrips(watchRequestCodec, fc.constant(undefined));
  });

  it("made of random bytes is a value or a WireError, nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const codec of Object.values<Codec<unknown>>(WIRE_CODECS)) {
          try {
            codec.decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("with bytes changed, cut off or added is a value or a WireError, nothing else", () => {
    const damage = fc.record({
      at: fc.nat(),
      byte: fc.nat(255),
      keep: fc.nat(),
      more: fc.uint8Array({ maxLength: 8 }),
    });
    const sources = fc.oneof(
      workerMessages.map(
        (value) => [workerMessageCodec, workerMessageCodec.encode(value)] as const,
      ),
      joinReplies.map((value) => [joinReplyCodec, joinReplyCodec.encode(value)] as const),
      coordinatorMessages.map(
        (value) => [coordinatorMessageCodec, coordinatorMessageCodec.encode(value)] as const,
      ),
    );
    fc.assert(
      fc.property(sources, damage, ([codec, whole], { at, byte, keep, more }) => {
        const bytes = Buffer.concat([whole.subarray(0, keep % (whole.length + 1)), more]);
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        try {
          codec.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is written as coordinator.proto says", () => {
    const message: WorkerMessage = {
      kind: "uploadBegin",
      transfer: 1,
      jobId: "job",
      incarnation: 2,
      step: 3,
      fence: 4,
      node: { firstLeaf: 8, numLeaves: 4 },
    };
    const type = root.lookupType("ostinato.v1.WorkerMessage");
    expect(type.decode(workerMessageCodec.encode(message)).toJSON()).toEqual({
      uploadBegin: {
        transfer: 1,
        jobId: "job",
        incarnation: 2,
        step: 3,
        fence: 4,
        node: { firstLeaf: 8, numLeaves: 4 },
      },
    });
  });

  it("keeps floats that are not finite, and the sign of zero", () => {
    for (const loss of [NaN, Infinity, -Infinity, -0]) {
      const event = { kind: "evaluation", step: 1, split: "test", loss, best: false } as const;
      expect(watchEventCodec.decode(watchEventCodec.encode(event))).toEqual(event);
    }
  });

  it("skips fields of a later version", () => {
    // Field 15, wire type 2: tag 15 << 3 | 2 = 122, one byte of length 1.
    const bytes = Buffer.concat([
      workerMessageCodec.encode({ kind: "returnLeases", reason: "SIGTERM" }),
      Buffer.from([122, 1, 7]),
    ]);
    expect(workerMessageCodec.decode(bytes)).toEqual({ kind: "returnLeases", reason: "SIGTERM" });
  });
});

describe("decoding refuses", () => {
  const refused: [string, keyof typeof WIRE_CODECS, Uint8Array, string][] = [
    ["a message without a body", "WorkerMessage", new Uint8Array(0), "WorkerMessage has no body"],
    [
      "a body of a later version",
      "CoordinatorMessage",
      Buffer.from([122, 1, 7]),
      "CoordinatorMessage has no body",
    ],
    [
      "an enum value that is not one",
      "WorkerMessage",
      bytesOf("WorkerMessage", { progress: { fence: 1, phase: 17 } }),
      "WorkerMessage.progress.phase is 17; it must be prepare, forward, backward, upload, evaluate",
    ],
    [
      "an enum that is missing",
      "WorkerMessage",
      bytesOf("WorkerMessage", { frame: { payload: new Uint8Array(4) } }),
      "WorkerMessage.frame.transferKind is 0; it must be parameters, gradient, carriedState, moments, statistics",
    ],
    [
      "a format of values that is none",
      "WorkerMessage",
      bytesOf("WorkerMessage", { frame: { transferKind: 2, valueFormat: 17 } }),
      "WorkerMessage.frame.valueFormat is 17; it must be bfloat16",
    ],
    [
      "rows without values",
      "WorkerMessage",
      bytesOf("WorkerMessage", { frame: { transferKind: 2, rows: { numRows: 1 } } }),
      "WorkerMessage.frame.rows.rowValues is 0; it must be an integer from 1",
    ],
    [
      "an inner message that is missing",
      "CoordinatorMessage",
      bytesOf("CoordinatorMessage", { uploadRejected: { fence: 1, reason: "late" } }),
      "CoordinatorMessage.uploadRejected.node is missing",
    ],
    [
      "a node that is no power of two",
      "CoordinatorMessage",
      bytesOf("CoordinatorMessage", {
        lease: { leaseKind: 1, nodes: [{ numLeaves: 1 }, { firstLeaf: 0, numLeaves: 3 }] },
      }),
      "CoordinatorMessage.lease.nodes[1] has 3 leaves; it must have a power of two",
    ],
    [
      "a node that begins between its multiples",
      "WorkerMessage",
      bytesOf("WorkerMessage", {
        uploadBegin: { jobId: "j", node: { firstLeaf: 2, numLeaves: 4 } },
      }),
      "WorkerMessage.uploadBegin.node begins at leaf 2; it must begin at a multiple of its 4 leaves",
    ],
    [
      "a digest of the wrong size",
      "WorkerMessage",
      bytesOf("WorkerMessage", { uploadEnd: { leaves: [{ sampleDigest: new Uint8Array(31) }] } }),
      "WorkerMessage.uploadEnd.leaves[0].sampleDigest has 31 bytes; it must have 32",
    ],
    [
      "a digest that is missing",
      "CoordinatorMessage",
      bytesOf("CoordinatorMessage", { parameters: { version: 1 } }),
      "CoordinatorMessage.parameters.digest has 0 bytes; it must have 32",
    ],
    [
      "an id that is missing",
      "WorkerMessage",
      bytesOf("WorkerMessage", { attach: { workerId: "w1" } }),
      "WorkerMessage.attach.streamToken is empty or missing",
    ],
    [
      "a worker that offers no profile",
      "JoinRequest",
      bytesOf("JoinRequest", { protocolVersion: 1, workerName: "w" }),
      "JoinRequest.profiles has 0 entries; it must have 1 to 65536",
    ],
    [
      "control characters, which a terminal would obey",
      "JoinRequest",
      bytesOf("JoinRequest", { workerName: "\u001b[2J" }),
      'JoinRequest.workerName is " [2J"; it must be one line of text',
    ],
    [
      "a name that is too long",
      "JoinRequest",
      bytesOf("JoinRequest", { workerName: "w".repeat(4097) }),
      "JoinRequest.workerName has 4097 characters; at most 4096 go",
    ],
    [
      "a word that is not one of the few",
      "WatchEvent",
      bytesOf("WatchEvent", { notice: { level: "loud", text: "" } }),
      'WatchEvent.notice.level is "loud"; it must be info, warn',
    ],
    [
      "a chunk that ends behind the end",
      "DataChunk",
      bytesOf("DataChunk", { offset: 8, totalBytes: 10, payload: new Uint8Array(3) }),
      "DataChunk ends at byte 11 of 10",
    ],
  ];

  it.each(refused)("%s", (_what, name, bytes, message) => {
    const error = errorOf(() => WIRE_CODECS[name].decode(bytes));
    expect([error.code, error.message]).toEqual(["badMessage", message]);
  });

  it("text that is not UTF-8", () => {
    // Field 1 of Attach (tag 10), and of WorkerMessage (tag 10); 0xFF begins no UTF-8 sequence.
    const error = errorOf(() => workerMessageCodec.decode(Buffer.from([10, 3, 10, 1, 0xff])));
    expect(error.code).toBe("badMessage");
    // 0xED 0xA0 0x80 would be the lone surrogate U+D800.
    const surrogate = Buffer.from([10, 5, 10, 3, 0xed, 0xa0, 0x80]);
    expect(errorOf(() => workerMessageCodec.decode(surrogate)).code).toBe("badMessage");
  });

  it("a message above the limit, whatever is in it", () => {
    const error = errorOf(() => joinRequestCodec.decode(new Uint8Array(MAX_MESSAGE_BYTES + 1)));
    expect(error.code).toBe("messageTooLarge");
  });

  it("a frame above its own limit", () => {
    const payload = new Uint8Array(MAX_FRAME_BYTES + 4);
    const bytes = bytesOf("WorkerMessage", { frame: { transferKind: 2, payload } });
    expect(errorOf(() => workerMessageCodec.decode(bytes)).code).toBe("frameTooLarge");
    const rows = { rowValues: 1, numRows: 1, mask: new Uint8Array(MAX_FRAME_ROWS / 8 + 1) };
    const masked = bytesOf("WorkerMessage", { frame: { transferKind: 2, rows } });
    expect(errorOf(() => workerMessageCodec.decode(masked)).code).toBe("frameTooLarge");
  });
});

describe("encoding", () => {
  const frame = {
    transfer: 1,
    transferKind: "gradient",
    leaf: 0,
    firstValue: 0,
    payload: new Uint8Array(4),
    crc32: 0,
  } as const;

  it.each([-1, 1.5, 2 ** 32, NaN])("refuses %d, which protobuf would bend to fit", (transfer) => {
    const error = errorOf(() =>
      workerMessageCodec.encode({ kind: "frame", frame: { ...frame, transfer } }),
    );
    expect(error.message).toContain("WorkerMessage.frame.transfer is ");
  });

  it("makes prose fit: one line, well-formed, of a bounded length", () => {
    const reason = `a\nb\u0007c\uD800${"x".repeat(5000)}`;
    const sent = workerMessageCodec.encode({ kind: "returnLeases", reason });
    const received = workerMessageCodec.decode(sent) as { reason: string };
    expect(received.reason.startsWith("a b c\uFFFDxxx")).toBe(true);
    expect(received.reason).toHaveLength(4096);
    expect(received.reason.endsWith("x…")).toBe(true);
  });

  it("takes prose as it would be sent on", () => {
    // What another sender left at its end: the field `revoke`, in it `reason`, "over" and two spaces.
    const bytes = Buffer.from("220812066f7665722020", "hex");
    const received = coordinatorMessageCodec.decode(bytes);
    expect(received).toEqual({ kind: "revoke", fence: 0, reason: "over" });
    expect(coordinatorMessageCodec.decode(coordinatorMessageCodec.encode(received))).toEqual(
      received,
    );
  });

  it("copies the payload, so that its buffer may be reused at once", () => {
    const payload = new Uint8Array([1, 2, 3, 4]);
    const bytes = workerMessageCodec.encode({ kind: "frame", frame: { ...frame, payload } });
    payload.fill(9);
    const decoded = workerMessageCodec.decode(bytes) as { frame: { payload: Uint8Array } };
    expect([...decoded.frame.payload]).toEqual([1, 2, 3, 4]);
  });

  it("takes the largest frame and the largest reply to Join within the limit of a message", () => {
    const payload = new Uint8Array(MAX_FRAME_BYTES);
    const max = 0xffff_ffff;
    const largest: CoordinatorMessage = {
      kind: "frame",
      frame: {
        transfer: max,
        transferKind: "carriedState",
        leaf: max,
        firstValue: max,
        payload,
        crc32: max,
      },
    };
    expect(coordinatorMessageCodec.encode(largest).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    const name = "\uFFFD".repeat(4096); // three bytes each
    const json = "\uFFFD".repeat(MAX_JSON_LENGTH);
    const reply: JoinReply = {
      workerId: name,
      jobId: name,
      incarnation: max,
      profile: { backend: name, version: name, digest: name },
      configJson: json,
      modelJson: json,
      dataDigest: name,
      deadlineMs: max,
      streamToken: name,
      segmentFolder: name,
    };
    expect(joinReplyCodec.encode(reply).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  });

  it("refuses a JSON document above its limit", () => {
    const error = errorOf(() =>
      joinReplyCodec.encode({
        workerId: "w",
        jobId: "j",
        incarnation: 0,
        profile: { backend: "wasm", version: "4", digest: "d" },
        configJson: "x".repeat(MAX_JSON_LENGTH + 1),
        modelJson: "{}",
        dataDigest: "d",
        deadlineMs: 1,
        streamToken: "t",
        segmentFolder: "",
      }),
    );
    expect(error.message).toBe("JoinReply.configJson has 131073 characters; at most 131072 go");
  });
});
