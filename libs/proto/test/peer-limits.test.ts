/** A peer that wants all there is, and what is left for the others. */
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { Server, ServiceError } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { CoordinatorClient, Refusal } from "../src/index.js";
import {
  bindServer,
  createCoordinatorClient,
  createServer,
  createServerGuard,
  implementCoordinator,
  parseAddress,
  PEER_LIMITS,
} from "../src/index.js";
import { coordinatorService } from "../src/service/index.js";
import { joinReply, joinRequest } from "./support/loopback.js";
import { ManualTime } from "./support/manual-time.js";

let server: Server;
let address: string;
let time: ManualTime;
let refusals: Refusal[] = [];
const closers: (() => void)[] = [];

beforeEach(async () => {
  time = new ManualTime();
  const own: Refusal[] = [];
  refusals = own;
  const guard = createServerGuard({
    clock: time,
    tokens: () => undefined,
    onRefused: (refusal) => own.push(refusal),
  });
  server = createServer({ guard });
  implementCoordinator(server, {
    join: () => Promise.resolve(joinReply),
    train: (stream) => stream.onMessage(() => undefined),
    fetchData: () => never(),
    status: () => never(),
    watch: () => never(),
  });
  address = await bindServer(server, "127.0.0.1:0", { insecure: false });
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
  server.forceShutdown();
});

function never(): never {
  throw new Error("not called in this test");
}

function client(): CoordinatorClient {
  const made = createCoordinatorClient(address);
  closers.push(() => made.close());
  return made;
}

describe("a storm of joins", () => {
  it("is served to its bound and refused above it, until time has passed", async () => {
    const { burst, perSecond } = PEER_LIMITS.joins;
    const storming = client();
    const codes: string[] = [];
    for (let i = 0; i < burst + 20; i++) {
      codes.push(await storming.join(joinRequest).then(() => "joined", codeOf));
    }
    const expected = Array.from({ length: burst + 20 }, (_, i) =>
      i < burst ? "joined" : "resourceExhausted",
    );
    expect(codes).toEqual(expected);
    expect(refusals[0]).toEqual({
      reason: "resourceExhausted",
      address: "127.0.0.1",
      text: `one address may have joins a second: ${perSecond}; try again later`,
    });
    time.advance(1000);
    expect(await storming.join(joinRequest)).toEqual(joinReply);
  });
});

describe("a storm of streams", () => {
  it("has a bound on one connection, and a bound of all its connections", async () => {
    const { openStreams, streamsOfConnection } = PEER_LIMITS;
    const numConnections = Math.ceil(openStreams / streamsOfConnection) + 1;
    const refused: ServiceError[] = [];
    let numOpen = 0;
    for (let i = 0; i < numConnections; i++) {
      const each = new Client(address, credentials.createInsecure(), {
        "grpc.use_local_subchannel_pool": 1,
      });
      closers.push(() => each.close());
      for (let j = 0; j < streamsOfConnection; j++) {
        const { path, requestSerialize, responseDeserialize } = coordinatorService.train;
        const call = each.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
        call.on("error", (error: ServiceError) => refused.push(error));
        call.on("metadata", () => (numOpen += 1));
        call.on("data", () => undefined);
      }
    }
    const numAsked = numConnections * streamsOfConnection;
    await vi.waitUntil(() => numOpen + refused.length >= numAsked, 10_000);
    // A refusal has no metadata but its trailers, which count as those.
    expect(refused.map(({ code }) => code)).toEqual(
      Array.from({ length: numAsked - openStreams }, () => status.RESOURCE_EXHAUSTED),
    );
    expect(await client().join(joinRequest)).toEqual(joinReply);
  });

  it("gives back what it had when it is over", async () => {
    for (let round = 0; round < 20; round++) {
      const storming = client();
      const streams = Array.from({ length: PEER_LIMITS.streamsOfConnection - 1 }, () =>
        storming.train(),
      );
      for (const stream of streams) stream.onMessage(() => undefined);
      await storming.join(joinRequest);
      storming.close();
      time.advance(10_000);
    }
    expect(await client().join(joinRequest)).toEqual(joinReply);
    expect(refusals).toEqual([]);
  });

  it("on one connection alone is stopped by HTTP/2 itself", async () => {
    const { streamsOfConnection } = PEER_LIMITS;
    const session = await rawSession();
    const settled = Array.from(
      { length: streamsOfConnection + 5 },
      () =>
        new Promise<"open" | "refused">((resolve) => {
          const stream = session.request({
            ":method": "POST",
            ":path": coordinatorService.train.path,
            "content-type": "application/grpc",
            te: "trailers",
          });
          stream.on("response", () => resolve("open"));
          stream.on("error", () => resolve("refused"));
        }),
    );
    const outcomes = await Promise.all(settled);
    // Node's client hangs when it is destroyed within what it tells of a refused stream.
    await new Promise((resolve) => setImmediate(resolve));
    expect(outcomes.filter((outcome) => outcome === "open")).toHaveLength(streamsOfConnection);
  });

  async function rawSession(): Promise<ClientHttp2Session> {
    // With settings that ask for more than the server says it takes.
    const session = connectHttp2(`http://${address}`, { peerMaxConcurrentStreams: 1000 });
    closers.push(() => session.destroy());
    await new Promise((resolve) => session.once("connect", resolve));
    return session;
  }
});

describe("a storm of connections", () => {
  it("is cut off above its bound, and others of this machine are served on", async () => {
    const { connectionsOfAddress } = PEER_LIMITS;
    const first = client();
    expect(await first.join(joinRequest)).toEqual(joinReply);
    const sockets: Socket[] = [];
    closers.push(() => sockets.forEach((socket) => socket.destroy()));
    let numCut = 0;
    const port = parseAddress(address).port;
    for (let i = 0; i < connectionsOfAddress + 50; i++) {
      const socket = connectTcp(port, "127.0.0.1");
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => (numCut += 1));
    }
    await vi.waitUntil(() => numCut >= 51, 10_000);
    expect(refusals[0]).toMatchObject({ reason: "connection", address: "127.0.0.1" });
    // One was open before; all that is above the bound is gone, and nothing else.
    expect(numCut).toBe(51);
    expect(await first.join(joinRequest)).toEqual(joinReply);
    for (const socket of sockets) socket.destroy();
    await vi.waitUntil(() => numCut === sockets.length, 10_000);
    time.advance(60_000);
    await vi.waitUntil(
      () =>
        client()
          .join(joinRequest)
          .then(
            () => true,
            () => false,
          ),
      10_000,
    );
  });
});

function codeOf(error: unknown): string {
  return (error as { code: string }).code;
}
