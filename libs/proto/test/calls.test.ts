import { createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

import type { DataChunk, StatusReply, WatchEvent } from "../src/index.js";
import { createCoordinatorClient, WireError } from "../src/index.js";
import type { CoordinatorHandlers } from "../src/index.js";
import { Deferred, joinReply, joinRequest, Loopback } from "./support/loopback.js";

let loopback: Loopback;

afterEach(() => loopback.close());

async function serve(handlers: Partial<CoordinatorHandlers>): Promise<Loopback> {
  loopback = await Loopback.serve(handlers);
  return loopback;
}

function chunk(offset: number): DataChunk {
  return { offset, totalBytes: 1000, payload: new Uint8Array([offset]), crc32: 7 };
}

describe("Join", () => {
  it("takes the request to the handler, with the caller's address, and the reply back", async () => {
    const seen: unknown[] = [];
    const { address } = await serve({
      join: (request, peer) => {
        seen.push(request, peer);
        return Promise.resolve(joinReply);
      },
    });
    const client = loopback.client();
    expect(client.address).toBe(address);
    expect(await client.join(joinRequest)).toEqual(joinReply);
    expect(seen).toEqual([
      joinRequest,
      { peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/), address: "127.0.0.1", certificate: "" },
    ]);
  });

  it("fails with the handler's error, code and text, whether thrown or rejected with", async () => {
    await serve({
      join: ({ workerName }) => {
        const error = new WireError("profileRefused", "this run computes with wasm 4.22.0");
        if (workerName === "thrower") throw error;
        return Promise.reject(error);
      },
    });
    const refusal = { code: "profileRefused", message: "this run computes with wasm 4.22.0" };
    const client = loopback.client();
    await expect(client.join(joinRequest)).rejects.toMatchObject(refusal);
    await expect(client.join({ ...joinRequest, workerName: "thrower" })).rejects.toMatchObject(
      refusal,
    );
    expect(loopback.faults).toEqual([]);
  });

  it("tells the caller nothing of an unknown error, and the server all of it", async () => {
    const fault = new TypeError("undefined is not /root/secret");
    await serve({ join: () => Promise.reject(fault) });
    const error = await loopback
      .client()
      .join(joinRequest)
      .catch((thrown: unknown) => thrown as WireError);
    expect(error).toMatchObject({ code: "internal" });
    expect((error as WireError).message).not.toContain("secret");
    expect(loopback.faults).toEqual([["Join", fault]]);
  });

  it("blames the server, not the caller, for a reply that cannot be encoded", async () => {
    await serve({
      join: () => Promise.resolve({ ...joinReply, deadlineMs: 1.5 }),
      // eslint-disable-next-line @typescript-eslint/require-await -- an iterable that has it all
      fetchData: async function* () {
        yield chunk(-1);
      },
    });
    const client = loopback.client();
    await expect(client.join(joinRequest)).rejects.toMatchObject({ code: "internal" });
    const read = async (): Promise<void> => {
      for await (const each of client.fetchData("aa")) expect(each).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ code: "internal" });
    const fault = expect.objectContaining({
      code: "internal",
      cause: expect.objectContaining({ code: "badMessage" }),
    });
    expect(loopback.faults).toEqual([
      ["Join", fault],
      ["FetchData", fault],
    ]);
  });

  it("takes a deadline that is no whole number of milliseconds", async () => {
    await serve({
      join: ({ workerName }) =>
        workerName === "silent" ? new Promise<never>(() => undefined) : Promise.resolve(joinReply),
    });
    const client = loopback.client();
    expect(await client.join(joinRequest, { deadlineMs: 30_000.999 })).toEqual(joinReply);
    const silent = { ...joinRequest, workerName: "silent" };
    await expect(client.join(silent, { deadlineMs: 0.2 })).rejects.toMatchObject({
      message: `${client.address} did not answer within 1 ms`,
    });
  });

  it("is given up after its deadline, and when its caller aborts", async () => {
    await serve({ join: () => new Promise<never>(() => undefined) });
    const client = loopback.client();
    await expect(client.join(joinRequest, { deadlineMs: 1 })).rejects.toMatchObject({
      code: "deadlineExceeded",
      message: `${client.address} did not answer within 1 ms`,
    });
    const abort = new AbortController();
    const joined = client.join(joinRequest, { signal: abort.signal });
    abort.abort();
    await expect(joined).rejects.toMatchObject({ code: "cancelled" });
    await expect(client.join(joinRequest, { signal: abort.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  it("says that nobody listens, naming the address, and works once somebody does", async () => {
    const tcp = createTcpServer();
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    const { port } = tcp.address() as AddressInfo;
    await new Promise((resolve) => tcp.close(resolve));
    const client = createCoordinatorClient(`127.0.0.1:${port}`);
    await expect(client.join(joinRequest)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(`^127\\.0\\.0\\.1:${port} is not reachable: .*ECONNREFUSED`),
    });
    client.close();
    await serve({});
    expect(await loopback.client().join(joinRequest)).toEqual(joinReply);
  });

  it("is given up when its client is closed", async () => {
    await serve({ join: () => new Promise<never>(() => undefined) });
    const client = loopback.client();
    const joined = client.join(joinRequest);
    client.close();
    await expect(joined).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("Status", () => {
  it("brings the reply", async () => {
    const reply: StatusReply = {
      jobId: "job",
      incarnation: 2,
      state: "training",
      step: 3,
      totalSteps: 10,
      epoch: 0,
      loss: 2.5,
      workers: [
        {
          workerId: "w1",
          name: "a",
          state: "attached",
          leaves: [1, 2],
          phase: "forward",
          sinceProgressMs: 5,
          hereSeconds: 12.5,
          samplesPerSecond: NaN,
        },
      ],
      waitingFor: "",
      runDirectory: "runs/a",
      metricsAddress: "http://127.0.0.1:1",
      deadlineMs: 30_000,
      stalled: true,
      minWorkers: 2,
      samplesPerSecond: 1234.5,
      secondsLeft: NaN,
      numLeaves: 8,
      leavesDone: 3,
      roundSeconds: 0.25,
      checkpointAgeSeconds: NaN,
    };
    await serve({ status: () => Promise.resolve(reply) });
    expect(await loopback.client().status()).toEqual(reply);
  });
});

describe("FetchData", () => {
  it("brings every chunk, in order, and then ends", async () => {
    await serve({
      // eslint-disable-next-line @typescript-eslint/require-await -- an iterable that has it all
      fetchData: async function* ({ digest }) {
        expect(digest).toBe("aa");
        for (let offset = 0; offset < 50; offset++) yield chunk(offset);
      },
    });
    const offsets: number[] = [];
    for await (const { offset, payload } of loopback.client().fetchData("aa")) {
      expect([...payload]).toEqual([offset]);
      offsets.push(offset);
    }
    expect(offsets).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  it("brings what came before an error, and then the error", async () => {
    await serve({
      // eslint-disable-next-line @typescript-eslint/require-await -- an iterable that has it all
      fetchData: async function* () {
        yield chunk(0);
        throw new WireError("unknownData", "this run's data is bb");
      },
    });
    const offsets: number[] = [];
    const read = async (): Promise<void> => {
      for await (const { offset } of loopback.client().fetchData("aa")) offsets.push(offset);
    };
    await expect(read()).rejects.toMatchObject({
      code: "unknownData",
      message: "this run's data is bb",
    });
    expect(offsets).toEqual([0]);
  });

  it("does not read ahead of a caller that stops, and tells the handler", async () => {
    const returned = new Deferred<number>();
    let numYielded = 0;
    await serve({
      fetchData: async function* (_request, signal) {
        try {
          for (; !signal.aborted; numYielded++) {
            // 64 KiB each: the window of 4 MiB is full long before a million.
            const payload = new Uint8Array(1 << 16);
            yield await Promise.resolve({ offset: 0, totalBytes: 1 << 16, payload, crc32: 0 });
          }
        } finally {
          returned.resolve(numYielded);
        }
      },
    });
    for await (const { totalBytes } of loopback.client().fetchData("aa")) {
      expect(totalBytes).toBe(1 << 16);
      break;
    }
    expect(await returned.promise).toBeLessThan(1000);
  });
});

describe("Watch", () => {
  const notice = (text: string): WatchEvent => ({ kind: "notice", level: "info", text });

  it("brings events as they happen, until the handler's end", async () => {
    const gate = new Deferred<undefined>();
    await serve({
      watch: async function* () {
        yield notice("first");
        await gate.promise;
        yield notice("second");
      },
    });
    const texts: string[] = [];
    for await (const event of loopback.client().watch()) {
      texts.push((event as { text: string }).text);
      gate.resolve(undefined);
    }
    expect(texts).toEqual(["first", "second"]);
  });

  it("lets go of a handler that waits for its next event when the watcher leaves", async () => {
    const aborted = new Deferred<undefined>();
    await serve({
      watch: async function* (signal) {
        signal.addEventListener("abort", () => aborted.resolve(undefined));
        yield notice("first");
        await new Promise(() => undefined);
      },
    });
    const leave = new AbortController();
    const watch = async (): Promise<void> => {
      for await (const event of loopback.client().watch(leave.signal)) {
        expect(event).toEqual(notice("first"));
        leave.abort();
      }
    };
    await expect(watch()).rejects.toMatchObject({ code: "cancelled" });
    await aborted.promise;
  });

  it("fails when the coordinator dies", async () => {
    await serve({
      watch: async function* () {
        yield notice("first");
        await new Promise(() => undefined);
      },
    });
    const watch = async (): Promise<void> => {
      for await (const event of loopback.client().watch()) {
        expect(event).toEqual(notice("first"));
        loopback.server.forceShutdown();
      }
    };
    await expect(watch()).rejects.toMatchObject({ code: "unavailable" });
  });
});
