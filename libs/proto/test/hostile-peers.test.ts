import zlib from "node:zlib";
import type { ServiceError } from "@grpc/grpc-js";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it, vi } from "vitest";

import { workerMessageCodec } from "../src/codec/index.js";
import type { CoordinatorClient } from "../src/index.js";
import { createCoordinatorClient } from "../src/index.js";
import { MAX_MESSAGE_BYTES } from "../src/limits.js";
import { coordinatorService } from "../src/service/index.js";
import { joinReply, joinRequest, Loopback } from "./support/loopback.js";

const same = (bytes: Buffer): Buffer => bytes;
// Field 1, wire type 2, a length of 127 bytes that are not there.
const garbage = Buffer.from([0x0a, 0x7f, 0xff]);
const tooLarge = Buffer.alloc(MAX_MESSAGE_BYTES + 1);

describe("a server survives a caller that sends", () => {
  let loopback: Loopback;

  afterEach(() => {
    vi.restoreAllMocks();
    loopback.close();
  });

  async function serve(): Promise<string[]> {
    const closed: string[] = [];
    loopback = await Loopback.serve({
      train: (stream) => {
        stream.onMessage(() => undefined);
        stream.onClosed((error) => closed.push(error?.code ?? "well"));
      },
    });
    return closed;
  }

  function ask(path: string, bytes: Buffer, options = {}): Promise<ServiceError | null> {
    return new Promise((resolve) => {
      loopback.rawClient(options).makeUnaryRequest(path, same, same, bytes, resolve);
    });
  }

  function stream(...messages: readonly Buffer[]): Promise<ServiceError> {
    return new Promise((resolve) => {
      const { path } = coordinatorService.train;
      const call = loopback.rawClient().makeBidiStreamRequest(path, same, same);
      call.on("error", resolve);
      call.on("data", () => undefined);
      for (const message of messages) call.write(message);
    });
  }

  it("garbage to Join", async () => {
    await serve();
    const error = await ask(coordinatorService.join.path, garbage);
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    expect(error?.details).toMatch(/^JoinRequest is no such message: /);
    expect(await loopback.client().join(joinRequest)).toEqual(joinReply);
  });

  it("garbage to FetchData and Watch", async () => {
    await serve();
    for (const { path } of [coordinatorService.fetchData, coordinatorService.watch]) {
      const error = await new Promise<ServiceError>((resolve) => {
        const call = loopback.rawClient().makeServerStreamRequest(path, same, same, garbage);
        call.on("error", resolve);
        call.on("data", () => undefined);
      });
      expect(error.code).toBe(status.INVALID_ARGUMENT);
    }
    expect(await loopback.client().join(joinRequest)).toEqual(joinReply);
  });

  it("garbage to Train, first or in the middle, while other streams go on", async () => {
    const closed = await serve();
    const other = loopback.client().train();
    other.onMessage(() => undefined);
    const attach = workerMessageCodec.encode({
      kind: "attach",
      workerId: "w",
      streamToken: "t",
      sharesMemory: false,
    });
    for (const messages of [[garbage], [attach, attach, garbage], [Buffer.alloc(0)]]) {
      const error = await stream(...messages);
      expect(error.code).toBe(status.INVALID_ARGUMENT);
      expect(error.metadata.get("ostinato-code")).toEqual(["badMessage"]);
      expect(error.details).toMatch(/^WorkerMessage /);
    }
    expect(closed).toEqual(["badMessage", "badMessage", "badMessage"]);
    other.send({ kind: "returnLeases", reason: "done" });
    other.end();
    expect(await new Promise((resolve) => other.onClosed(resolve))).toBeUndefined();
  });

  it("a message above the limit", async () => {
    await serve();
    expect((await ask(coordinatorService.join.path, tooLarge))?.code).toBe(
      status.RESOURCE_EXHAUSTED,
    );
    expect((await stream(tooLarge)).code).toBe(status.RESOURCE_EXHAUSTED);
    expect(await loopback.client().join(joinRequest)).toEqual(joinReply);
  });

  it("compressed messages, of which it unpacks none", async () => {
    await serve();
    const unpacking = vi.spyOn(zlib, "createGunzip");
    const inflating = vi.spyOn(zlib, "createInflate");
    for (const algorithm of [1, 2]) {
      const packed = { "grpc.default_compression_algorithm": algorithm };
      const error = await ask(coordinatorService.join.path, Buffer.alloc(64 << 20), packed);
      expect(error?.code).toBe(status.UNIMPLEMENTED);
      expect(error?.details).toMatch(/compressed .* unsupported encoding/);
      // One of another method, of which it would have to read many.
      const { path } = coordinatorService.train;
      const call = loopback.rawClient(packed).makeBidiStreamRequest(path, same, same);
      const refused = new Promise<ServiceError>((resolve) => call.on("error", resolve));
      call.on("data", () => undefined);
      for (let i = 0; i < 100; i++) call.write(Buffer.alloc(1 << 20));
      expect((await refused).code).toBe(status.UNIMPLEMENTED);
    }
    expect(unpacking).not.toHaveBeenCalled();
    expect(inflating).not.toHaveBeenCalled();
    expect(await loopback.client().join(joinRequest)).toEqual(joinReply);
  });

  it("compressed bytes without saying so", async () => {
    await serve();
    const bomb = zlib.gzipSync(Buffer.alloc(1 << 20));
    const error = await ask(coordinatorService.join.path, bomb);
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    expect(await loopback.client().join(joinRequest)).toEqual(joinReply);
  });
});

describe("a client survives a server that sends", () => {
  let server: Server;
  let client: CoordinatorClient;

  afterEach(() => {
    client.close();
    server.forceShutdown();
  });

  async function connectTo(answer: Buffer): Promise<void> {
    server = new Server({ "grpc.max_send_message_length": -1 });
    server.addService(coordinatorService, {
      join: (_call: unknown, callback: (error: null, bytes: Buffer) => void) =>
        callback(null, answer),
      train: (call: { write(bytes: Buffer): void }) => call.write(answer),
      fetchData: (call: { write(bytes: Buffer): void }) => call.write(answer),
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    client = createCoordinatorClient(`127.0.0.1:${port}`);
  }

  async function errorsOf(): Promise<unknown[]> {
    const stream = client.train();
    stream.onMessage(() => undefined);
    const fetch = async (): Promise<void> => {
      for await (const chunk of client.fetchData("aa")) expect(chunk).toBeUndefined();
    };
    return await Promise.all([
      client.join(joinRequest).catch((error: unknown) => error),
      new Promise((resolve) => stream.onClosed(resolve)),
      fetch().catch((error: unknown) => error),
    ]);
  }

  it("garbage", async () => {
    await connectTo(garbage);
    expect(await errorsOf()).toEqual([
      expect.objectContaining({
        code: "badMessage",
        message: expect.stringMatching(/^JoinReply is no such message: /),
      }),
      expect.objectContaining({
        code: "badMessage",
        message: expect.stringMatching(/^CoordinatorMessage is no such message: /),
      }),
      expect.objectContaining({
        code: "badMessage",
        message: expect.stringMatching(/^DataChunk is no such message: /),
      }),
    ]);
  });

  it("a message above the limit", async () => {
    await connectTo(tooLarge);
    const codes = (await errorsOf()).map((error) => (error as { code: string }).code);
    expect(codes).toEqual(["messageTooLarge", "messageTooLarge", "messageTooLarge"]);
  });

  it("nothing of ours: another service altogether", async () => {
    server = new Server();
    const port = await new Promise<number>((resolve) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (_error, bound) =>
        resolve(bound),
      );
    });
    client = createCoordinatorClient(`127.0.0.1:${port}`);
    await expect(client.join(joinRequest)).rejects.toMatchObject({ code: "protocolVersion" });
  });
});

describe("a sender of its own too large message", () => {
  it("is told before it is sent", async () => {
    const loopback = await Loopback.serve({ train: () => undefined });
    const stream = loopback.client().train();
    const payload = new Uint8Array(MAX_MESSAGE_BYTES);
    const frame = {
      transfer: 1,
      transferKind: "gradient",
      leaf: 0,
      firstValue: 0,
      payload,
      crc32: 0,
    } as const;
    expect(() => stream.send({ kind: "frame", frame })).toThrow(
      expect.objectContaining({ code: "frameTooLarge" }),
    );
    // 20 000 results of at least 32 bytes each are within the bounds of a list, not of a message.
    const result = {
      leaf: 1,
      lossSum: 1,
      lossWeight: 1,
      numSamples: 1,
      sampleDigest: new Uint8Array(32),
    };
    const leaves = Array.from({ length: 20_000 }, () => result);
    expect(() =>
      stream.send({ kind: "uploadEnd", transfer: 1, leaves, numFrames: 0, checksum: 0 }),
    ).toThrow(
      expect.objectContaining({
        code: "messageTooLarge",
        message: expect.stringMatching(/^WorkerMessage has \d+ bytes; at most 1114112 go$/),
      }),
    );
    expect(stream.queuedBytes).toBe(0);
    loopback.close();
  });
});
