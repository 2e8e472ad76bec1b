/** A coordinator whose ports are given bytes that mean nothing goes on, and its run ends as if nothing had been. */

import { connect as connectHttp2, constants } from "node:http2";
import type { IncomingHttpHeaders } from "node:http2";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "./support/cluster.js";
import { expectVerified } from "./support/stories.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
let cluster: Cluster;

beforeAll(async () => {
  workspace = await createWorkspace();
  cluster = await Cluster.start(workspace.config, workspace.at("run"));
});

afterAll(async () => {
  await cluster.close();
  await workspace.remove();
});

/** The same bytes in every run of the test (Numerical Recipes' generator). */
let state = 20_261_130;
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}
const bytesOf = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)));

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** An HTTP/2 frame of any type, flags, stream and content; its length is right, most of the time. */
function frame(): Buffer {
  const content = bytesOf(random(64));
  const head = Buffer.alloc(9);
  head.writeUIntBE(random(8) === 0 ? random(1 << 24) : content.length, 0, 3);
  head.writeUInt8(random(12), 3);
  head.writeUInt8(random(256), 4);
  head.writeUInt32BE(random(4) === 0 ? random(2 ** 31) : random(6), 5);
  return Buffer.concat([head, content]);
}

const SETTINGS = Buffer.from("000000040000000000", "hex");
const garbage: readonly (() => Buffer)[] = [
  () => bytesOf(random(2000)),
  () => Buffer.concat([PREFACE, bytesOf(random(2000))]),
  () => Buffer.concat([PREFACE, SETTINGS, ...Array.from({ length: 20 }, frame)]),
  () => Buffer.concat([PREFACE, SETTINGS, frame()]),
  () => Buffer.from(`GET /${bytesOf(30).toString("latin1")} HTTP/1.1\r\n\r\n`, "latin1"),
  () => Buffer.from(`GET / HTTP/1.1\r\nhost: ${"a".repeat(random(20_000))}\r\n\r\n`),
  () =>
    Buffer.from(
      "POST /metrics HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n",
    ),
];

/** Sends bytes and hangs up; resolves when the connection is gone. */
function send(address: string, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(bytes, () => {
        // What the server says to it is read to its end, if it says anything.
        socket.resume().end();
        socket.destroySoon();
      });
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve();
    });
  });
}

async function sendGarbage(address: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const make = garbage[n % garbage.length];
    if (make !== undefined) await send(address, make());
  }
}

const METHODS = ["Join", "Train", "FetchData", "Status", "Watch"] as const;

/** The gRPC statuses that messages of any bytes are answered with, and how often. */
async function callWithGarbage(address: string, times: number): Promise<Map<string, number>> {
  const statuses = new Map<string, number>();
  const session = connectHttp2(`http://${address}`);
  session.on("error", () => undefined);
  for (let n = 0; n < times; n++) {
    const method = METHODS[n % METHODS.length] ?? "Join";
    const status = await new Promise<string>((resolve, reject) => {
      const call = session.request({
        ":method": "POST",
        ":path": `/ostinato.v1.Coordinator/${method}`,
        "content-type": "application/grpc",
        te: "trailers",
      });
      let answer = "open";
      call.on("response", (headers) => {
        answer = String(headers["grpc-status"] ?? "open");
      });
      call.on("trailers", (trailers: IncomingHttpHeaders) => {
        answer = String(trailers["grpc-status"]);
      });
      call.on("error", reject);
      call.on("close", () => {
        resolve(`${method} ${answer}`);
      });
      call.resume();
      for (let left = random(3); left >= 0; left--) {
        const message = bytesOf(random(4) === 0 ? random(3000) : random(24));
        const head = Buffer.alloc(5);
        head.writeUInt32BE(message.length, 1);
        call.write(Buffer.concat([head, message]));
        if (method !== "Train") break;
      }
      call.end();
      // One that took the message says nothing until something happens in the run: a refusal would be here by the
      // time that another call is answered.
      if (method === "Watch") {
        cluster.status().then(() => {
          call.close(constants.NGHTTP2_CANCEL);
        }, reject);
      }
    });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  session.close();
  return statuses;
}

function healthz(address: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${address}/healthz`, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("a coordinator", () => {
  it("survives bytes of any kind on both its ports", async () => {
    await sendGarbage(cluster.ready.address, 210);
    await sendGarbage(cluster.ready.metricsAddress.replace("http://", ""), 210);
    expect(await healthz(cluster.ready.metricsAddress)).toBe(200);
    expect((await cluster.status()).workers).toEqual([]);
  });

  it("answers messages of any bytes with what is wrong with them", async () => {
    // Fewer than one peer is refused for.
    const statuses = await callWithGarbage(cluster.ready.address, 500);
    // 0 OK (any bytes can be fields of a later version), 3 INVALID_ARGUMENT; nothing is a fault of its own.
    const expected = [
      "Join 3",
      "Train 3",
      "FetchData 3",
      "Status 0",
      "Status 3",
      "Watch 3",
      "Watch open",
    ];
    expect([...statuses.keys()].filter((status) => !expected.includes(status))).toEqual([]);
    expect(statuses.get("Join 3")).toBe(100);
    expect((await cluster.status()).workers).toEqual([]);
  });

  it("trains to the end afterwards, and while more of it comes", async () => {
    cluster.addWorker();
    const meanwhile = async (): Promise<void> => {
      await cluster.joined(1);
      await sendGarbage(cluster.ready.address, 50);
    };
    await Promise.all([cluster.completed(), meanwhile()]);
    await expectVerified(cluster.ready.runDirectory);
  });
});
