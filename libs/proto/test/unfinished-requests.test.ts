/** Peers whose requests never become whole, or are larger than one needs to be; and those that mean well beside them. */
import { connect as connectHttp2, constants } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { status } from "@grpc/grpc-js";
import type { Server } from "@grpc/grpc-js";
import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { CoordinatorClient, Refusal, WireError } from "../src/index.js";
import {
  addHealth,
  bindServer,
  createCoordinatorClient,
  createServer,
  createServerGuard,
  encodeFrames,
  implementCoordinator,
  MAX_FRAME_BYTES,
  MAX_REQUEST_BYTES,
  PEER_LIMITS,
  Tokens,
} from "../src/index.js";
import { workerMessageCodec } from "../src/codec/index.js";
import { MAX_MESSAGE_BYTES, MAX_TEXT_LENGTH } from "../src/limits.js";
import { coordinatorService } from "../src/service/index.js";
import { joinReply, joinRequest } from "./support/loopback.js";
import { ManualTime } from "./support/manual-time.js";

const CHECK = "/grpc.health.v1.Health/Check";
const { requestMs } = FIXED_TIMEOUTS;

let server: Server;
let address: string;
let time: ManualTime;
let tokens: Tokens | undefined;
let refusals: Refusal[] = [];
let received: string[] = [];
let streamErrors: (WireError | undefined)[] = [];
const closers: (() => void)[] = [];

beforeEach(async () => {
  time = new ManualTime();
  tokens = undefined;
  const own: Refusal[] = [];
  refusals = own;
  received = [];
  streamErrors = [];
  const guard = createServerGuard({
    clock: time,
    tokens: () => tokens,
    onRefused: (refusal) => own.push(refusal),
  });
  server = createServer({ guard });
  implementCoordinator(server, {
    join: () => Promise.resolve({ ...joinReply, configJson: `"${"x".repeat(100_000)}"` }),
    train: (stream) => {
      stream.onMessage((message) => received.push(message.kind));
      stream.onClosed((error) => streamErrors.push(error));
    },
    fetchData: async function* () {
      const payload = new Uint8Array(MAX_FRAME_BYTES);
      yield await Promise.resolve({ offset: 0, totalBytes: MAX_FRAME_BYTES, payload, crc32: 0 });
    },
    status: () => Promise.reject(new Error("not called in this test")),
    watch: () => {
      throw new Error("not called in this test");
    },
  });
  (await addHealth(server)).set("", "SERVING");
  address = await bindServer(server, "127.0.0.1:0", { insecure: false });
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
  server.forceShutdown();
});

function client(): CoordinatorClient {
  const made = createCoordinatorClient(address);
  closers.push(() => made.close());
  return made;
}

async function connect(): Promise<ClientHttp2Session> {
  // Node's client would reset its own streams once it has 10 MB to send.
  const session = connectHttp2(`http://${address}`, { maxSessionMemory: 100 });
  closers.push(() => session.destroy());
  session.on("error", () => undefined);
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  return session;
}

interface RawCall {
  /** The code and text that the call ended with. */
  readonly ended: Promise<readonly [code: number, text: string]>;
  /** The code of HTTP/2 that its stream was closed with. */
  readonly closed: Promise<number | undefined>;
  readonly send: (...bytes: readonly Uint8Array[]) => void;
}

/** A call that sends these bytes and no end. */
function call(session: ClientHttp2Session, path: string, ...bytes: Uint8Array[]): RawCall {
  const stream = session.request({
    ...{ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" },
  });
  stream.on("error", () => undefined);
  stream.resume();
  const ended = new Promise<readonly [number, string]>((resolve) => {
    const take = (headers: IncomingHttpHeaders): void => {
      const { "grpc-status": code, "grpc-message": text } = headers;
      if (code !== undefined) resolve([Number(code), decodeURI(String(text))]);
    };
    stream.on("response", take);
    stream.on("trailers", take);
  });
  const closed = new Promise<number | undefined>((resolve) => {
    stream.on("close", () => resolve(stream.rstCode));
  });
  const send = (...more: readonly Uint8Array[]): void => {
    for (const each of more) stream.write(each);
  };
  send(...bytes);
  return { ended, closed, send };
}

/** gRPC's prefix of a message. */
function prefix(numBytes: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(numBytes, 1);
  return bytes;
}

describe("a stranger without a token, who sends nearly whole messages and no end", () => {
  it("has none of them kept, and each ended with its reason", async () => {
    tokens = new Tokens([{ role: "worker", token: "w".repeat(32) }]);
    const { streamsOfConnection } = PEER_LIMITS;
    const almost = Buffer.alloc(MAX_MESSAGE_BYTES - 1);
    const before = process.memoryUsage().arrayBuffers;
    const calls: RawCall[] = [];
    for (let i = 0; i < 16; i++) {
      const session = await connect();
      for (let j = 0; j < streamsOfConnection; j++) {
        calls.push(call(session, CHECK, prefix(MAX_MESSAGE_BYTES), almost));
      }
    }
    const ends = await Promise.all(calls.map(({ ended }) => ended));
    expect(new Set(ends.map(([code]) => code))).toEqual(new Set([status.RESOURCE_EXHAUSTED]));
    expect(ends.map(([, text]) => text)).toContain(
      `the request of Check is larger than ${MAX_REQUEST_BYTES} bytes`,
    );
    expect(refusals).toHaveLength(calls.length);
    // What is left of a call whose peer sends on would be kept for as long as that likes.
    const codes = await Promise.all(calls.map(({ closed }) => closed));
    expect(new Set(codes)).toEqual(new Set([constants.NGHTTP2_NO_ERROR]));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
    expect(time.numTimers).toBe(0);
  });

  it("has a bound on calls that say next to nothing, of the health service alone", async () => {
    const { streamsOfConnection, openHealthCalls } = PEER_LIMITS;
    const calls: RawCall[] = [];
    for (let i = 0; i < openHealthCalls + 1; i += streamsOfConnection) {
      const session = await connect();
      for (let j = 0; j < streamsOfConnection; j++) {
        calls.push(call(session, CHECK, prefix(1)));
      }
    }
    await vi.waitUntil(() => refusals.length === calls.length - openHealthCalls, 10_000);
    expect(refusals[0]).toEqual({
      reason: "resourceExhausted",
      address: "127.0.0.1",
      text: `one address may have calls of Check open at once: ${openHealthCalls}; try again later`,
    });
    expect(await client().join(joinRequest)).toMatchObject({ workerId: "w1" });
  });
});

describe("a request that does not become whole", () => {
  it.each([
    ["that is begun", Buffer.from([0])],
    ["without its last byte", Buffer.concat([prefix(2), Buffer.from([1])])],
    ["of one message, without its end", prefix(0)],
  ])("is ended in time and says so, %s", async (_, bytes) => {
    const { path } = coordinatorService.status;
    const session = await connect();
    const { ended, closed } = call(session, path, bytes);
    await vi.waitUntil(() => time.numTimers === 1);
    time.advance(requestMs);
    expect(await ended).toEqual([
      status.DEADLINE_EXCEEDED,
      "the request of Status was not whole after 10 s",
    ]);
    expect(await closed).toBe(constants.NGHTTP2_NO_ERROR);
    expect(refusals).toEqual([
      {
        reason: "request",
        address: "127.0.0.1",
        text: "the request of Status was not whole after 10 s",
      },
    ]);
  });

  it("is waited for anew where this process stood still itself", async () => {
    const session = await connect();
    const unfinished = call(session, CHECK, prefix(0));
    await vi.waitUntil(() => time.numTimers === 1);
    time.advance(100 * requestMs);
    expect(refusals).toEqual([]);
    time.advance(requestMs);
    expect(await unfinished.ended).toEqual([status.DEADLINE_EXCEEDED, expect.any(String)]);
  });

  it("is not made larger by further messages", async () => {
    const session = await connect();
    const { path } = coordinatorService.fetchData;
    const rest = Buffer.alloc(MAX_REQUEST_BYTES);
    const { ended } = call(session, path, prefix(0), prefix(MAX_REQUEST_BYTES + 1), rest);
    // grpc-js may be the first to say that there is one message too many.
    const [code] = await ended;
    expect([status.RESOURCE_EXHAUSTED, status.UNIMPLEMENTED]).toContain(code);
  });
});

describe("a stream", () => {
  const frame = (): Buffer => {
    const values = new Float32Array(MAX_FRAME_BYTES / 4).fill(1);
    const [first] = encodeFrames({ transfer: 1, transferKind: "gradient", values });
    return Buffer.from(workerMessageCodec.encode({ kind: "frame", frame: first! }));
  };

  it("has a first message of that size at most", async () => {
    const session = await connect();
    const bytes = frame();
    const { path } = coordinatorService.train;
    const { ended, closed } = call(session, path, prefix(bytes.byteLength), bytes);
    expect(await ended).toEqual([
      status.RESOURCE_EXHAUSTED,
      `the first message of Train is larger than ${MAX_REQUEST_BYTES} bytes`,
    ]);
    expect(await closed).toBe(constants.NGHTTP2_NO_ERROR);
    expect(received).toEqual([]);
    await vi.waitUntil(() => streamErrors.length === 1);
  });

  it("has whole frames from then on, as slowly as they come, also right behind the first message", async () => {
    const session = await connect();
    const attach = Buffer.from(
      workerMessageCodec.encode({
        ...{ kind: "attach", workerId: "w1", streamToken: "token", sharesMemory: false },
      }),
    );
    const bytes = frame();
    const all = Buffer.concat([
      ...[prefix(attach.byteLength), attach],
      ...[prefix(bytes.byteLength), bytes],
    ]);
    const { send } = call(session, coordinatorService.train.path, all.subarray(0, -1));
    await vi.waitUntil(() => received.length === 1);
    expect(time.numTimers).toBe(0);
    time.advance(10 * requestMs);
    send(all.subarray(-1));
    await vi.waitUntil(() => received.length === 2);
    expect([received, refusals]).toEqual([["attach", "frame"], []]);
  });
});

describe("peers that mean well", () => {
  it("join and fetch the data at once behind one address, and are checked on", async () => {
    const workers = Array.from({ length: 64 }, client);
    const replies = await Promise.all(workers.map((worker) => worker.join(joinRequest)));
    expect(replies.map(({ configJson }) => configJson.length)).toEqual(
      Array.from({ length: 64 }, () => 100_002),
    );
    const chunks = workers.map(async (worker) => {
      let numBytes = 0;
      for await (const { payload } of worker.fetchData("aa")) {
        numBytes += payload.byteLength;
      }
      return numBytes;
    });
    expect(new Set(await Promise.all(chunks))).toEqual(new Set([MAX_FRAME_BYTES]));
    const session = await connect();
    const checks = Array.from({ length: 30 }, () => {
      const stream = session.request({
        ...{ ":method": "POST", ":path": CHECK, "content-type": "application/grpc" },
        ...{ te: "trailers" },
      });
      stream.resume();
      stream.end(prefix(0));
      return new Promise((resolve) => stream.on("trailers", resolve));
    });
    for (const trailers of await Promise.all(checks)) {
      expect(trailers).toMatchObject({ "grpc-status": "0" });
    }
    expect(refusals).toEqual([]);
    expect(time.numTimers).toBe(0);
  });

  it("may have the longest names there are", async () => {
    const workerName = "\u{20ac}".repeat(MAX_TEXT_LENGTH);
    expect(await client().join({ ...joinRequest, workerName })).toMatchObject({ workerId: "w1" });
  });
});

describe("a call that there is none of", () => {
  it.each(["/ostinato.v1.Coordinator/Steal", "/grpc.health.v1.Health/Kill", "/x"])(
    "is counted and told, and its stream is closed: %s",
    async (path) => {
      const session = await connect();
      const { ended, closed } = call(session, path, prefix(1 << 20), Buffer.alloc(1000));
      expect(await ended).toMatchObject([status.UNIMPLEMENTED, expect.any(String)]);
      expect(await closed).toBe(constants.NGHTTP2_NO_ERROR);
      expect(refusals).toEqual([
        {
          reason: "unknownCall",
          address: "127.0.0.1",
          text: `there is no call ${path}`,
        },
      ]);
    },
  );
});
