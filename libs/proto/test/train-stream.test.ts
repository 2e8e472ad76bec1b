import { afterEach, describe, expect, it } from "vitest";

import type {
  CoordinatorMessage,
  TensorFrame,
  TrainStream,
  WireErrorCode,
  WorkerMessage,
} from "../src/index.js";
import { checkFrame, encodeFrames, MAX_FRAME_BYTES, WireError } from "../src/index.js";
import type { ServerSide } from "./support/loopback.js";
import { Deferred, joinReply, joinRequest, Loopback } from "./support/loopback.js";

type WorkerSide = TrainStream<CoordinatorMessage, WorkerMessage>;

let loopback: Loopback;

afterEach(() => loopback.close());

/** Both sides of one open stream. */
async function open(): Promise<{ worker: WorkerSide; coordinator: ServerSide }> {
  const arrived = new Deferred<ServerSide>();
  loopback = await Loopback.serve({ train: (stream) => arrived.resolve(stream) });
  const worker = loopback.client().train();
  return { worker, coordinator: await arrived.promise };
}

function closing(stream: WorkerSide | ServerSide): Promise<WireErrorCode | "well"> {
  return new Promise((resolve) => stream.onClosed((error) => resolve(error?.code ?? "well")));
}

const attach: WorkerMessage = {
  kind: "attach",
  workerId: "w1",
  streamToken: "token",
  sharesMemory: false,
};
const progress = (fence: number): WorkerMessage => ({
  kind: "progress",
  fence,
  phase: "forward",
  timeSteps: 1,
});
const revoke = (fence: number): CoordinatorMessage => ({ kind: "revoke", fence, reason: "late" });

/** A frame of 1 MiB, numbered by its transfer. */
function largeFrame(transfer: number): WorkerMessage {
  const values = new Float32Array(MAX_FRAME_BYTES / 4);
  const [frame] = encodeFrames({ transfer, transferKind: "gradient", values });
  return { kind: "frame", frame: frame! };
}

describe("a Train stream", () => {
  it("carries messages both ways, in order, also those sent before anyone took them", async () => {
    const { worker, coordinator } = await open();
    for (let fence = 0; fence < 100; fence++) {
      expect(worker.send(progress(fence))).toBe(true);
      expect(coordinator.send(revoke(fence))).toBe(true);
    }
    worker.end();
    const atCoordinator: WorkerMessage[] = [];
    coordinator.onMessage((message) => atCoordinator.push(message));
    const atWorker: CoordinatorMessage[] = [];
    worker.onMessage((message) => atWorker.push(message));
    expect(await Promise.all([closing(worker), closing(coordinator)])).toEqual(["well", "well"]);
    const fences = Array.from({ length: 100 }, (_, fence) => fence);
    expect(atCoordinator).toEqual(fences.map(progress));
    expect(atWorker).toEqual(fences.map(revoke));
  });

  it("hands messages to the newest taker only", async () => {
    const { worker, coordinator } = await open();
    const second = new Deferred<WorkerMessage>();
    coordinator.onMessage((message) => {
      expect(message).toEqual(attach);
      coordinator.onMessage((next) => second.resolve(next));
    });
    worker.send(attach);
    worker.send(progress(1));
    expect(await second.promise).toEqual(progress(1));
  });

  it("knows who is at the other end", async () => {
    const { worker, coordinator } = await open();
    expect(worker.peer).toBe(loopback.address);
    expect(coordinator.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it("sends nothing after its end, and tells so", async () => {
    const { worker, coordinator } = await open();
    const received: WorkerMessage[] = [];
    coordinator.onMessage((message) => received.push(message));
    worker.onMessage(() => undefined);
    worker.send(attach);
    worker.end();
    expect(worker.send(progress(1))).toBe(false);
    await closing(coordinator);
    await closing(worker);
    expect(worker.send(progress(2))).toBe(false);
    expect(coordinator.send(revoke(1))).toBe(false);
    expect(received).toEqual([attach]);
    await worker.drained();
  });

  it("tells everyone who asks of its end, also late", async () => {
    const { worker, coordinator } = await open();
    worker.onMessage(() => undefined);
    coordinator.send({ kind: "stop", failed: false, reason: "completed" });
    coordinator.end();
    expect(await Promise.all([closing(worker), closing(worker)])).toEqual(["well", "well"]);
    expect(await closing(worker)).toBe("well");
    expect(await closing(coordinator)).toBe("well");
  });
});

describe("a coordinator's end of the stream", () => {
  it("comes after the messages sent before it", async () => {
    const { worker, coordinator } = await open();
    const received: CoordinatorMessage[] = [];
    worker.onMessage((message) => {
      received.push(message);
      worker.pause();
      queueMicrotask(() => worker.resume());
    });
    for (let fence = 0; fence < 40; fence++) coordinator.send(revoke(fence));
    coordinator.end();
    expect(await closing(worker)).toBe("well");
    expect(received).toHaveLength(40);
  });

  it("with an error has that error as its status", async () => {
    const { worker, coordinator } = await open();
    worker.onMessage(() => undefined);
    const received = new Promise<WireError | undefined>((resolve) => worker.onClosed(resolve));
    coordinator.end(new WireError("streamRefused", "w1 has a stream already"));
    expect(await received).toMatchObject({
      code: "streamRefused",
      message: "w1 has a stream already",
    });
    expect(await closing(coordinator)).toBe("streamRefused");
  });

  it("by its death is `unavailable` to the worker", async () => {
    const { worker } = await open();
    worker.onMessage(() => undefined);
    loopback.server.forceShutdown();
    expect(await closing(worker)).toBe("unavailable");
    await expect(worker.drained()).rejects.toMatchObject({ code: "unavailable" });
  });

  it("by a handler that throws is `internal`, and costs this call only", async () => {
    const arrived = new Deferred<ServerSide>();
    loopback = await Loopback.serve({
      train: (stream) => {
        arrived.resolve(stream);
        stream.onMessage(() => {
          throw new TypeError("a fault of the coordinator's own");
        });
      },
    });
    const client = loopback.client();
    const worker = client.train();
    worker.onMessage(() => undefined);
    worker.send(attach);
    const coordinator = await arrived.promise;
    const fault = new Promise<WireError | undefined>((resolve) => coordinator.onClosed(resolve));
    expect(await closing(worker)).toBe("internal");
    expect(await fault).toMatchObject({ code: "internal", cause: expect.any(TypeError) });
    expect(loopback.faults).toEqual([["Train", expect.any(TypeError)]]);
    expect(await client.join(joinRequest)).toEqual(joinReply);
  });

  it("by a message of its own that cannot be sent is `internal` too: not the worker's fault", async () => {
    loopback = await Loopback.serve({
      train: (stream) => {
        stream.onMessage(() => stream.send(revoke(-1)));
      },
    });
    const worker = loopback.client().train();
    worker.onMessage(() => undefined);
    worker.send(attach);
    expect(await closing(worker)).toBe("internal");
    expect(loopback.faults).toEqual([["Train", expect.objectContaining({ code: "badMessage" })]]);
  });

  it("by a handler that throws at once is `internal` too", async () => {
    loopback = await Loopback.serve({});
    const worker = loopback.client().train();
    worker.onMessage(() => undefined);
    expect(await closing(worker)).toBe("internal");
    expect(loopback.faults).toHaveLength(1);
  });
});

describe("a worker's end of the stream", () => {
  it("by giving up is `unavailable` to the coordinator", async () => {
    const { worker, coordinator } = await open();
    coordinator.onMessage(() => undefined);
    worker.cancel();
    expect(await closing(coordinator)).toBe("unavailable");
    expect(await closing(worker)).toBe("cancelled");
    await expect(worker.drained()).rejects.toMatchObject({ code: "cancelled" });
  });

  it("by the loss of its connection is `unavailable` to the coordinator", async () => {
    const arrived = new Deferred<ServerSide>();
    loopback = await Loopback.serve({ train: (stream) => arrived.resolve(stream) });
    const proxy = await loopback.proxy();
    const worker = loopback.client(proxy.address).train();
    const coordinator = await arrived.promise;
    const attached = new Deferred<undefined>();
    coordinator.onMessage(() => attached.resolve(undefined));
    worker.onMessage(() => undefined);
    worker.send(attach);
    await attached.promise;
    proxy.cut();
    expect(await closing(coordinator)).toBe("unavailable");
    expect(await closing(worker)).toBe("unavailable");
  });

  it("is noticed by a coordinator that does not read", async () => {
    const { worker, coordinator } = await open();
    worker.cancel();
    expect(await closing(coordinator)).toBe("unavailable");
  });

  it("with an error gives up with that error", async () => {
    const { worker, coordinator } = await open();
    worker.onMessage(() => undefined);
    worker.end(new WireError("checksum", "the parameters are damaged"));
    expect(await closing(worker)).toBe("checksum");
    expect(await closing(coordinator)).toBe("unavailable");
  });

  it("to a coordinator that is not there is told by onClosed", async () => {
    loopback = await Loopback.serve({});
    loopback.server.forceShutdown();
    const worker = loopback.client().train();
    worker.onMessage(() => undefined);
    expect(await closing(worker)).toBe("unavailable");
  });
});

describe("frames", () => {
  it("arrive as they were when they were sent, whatever is written to their buffers then", async () => {
    const arrived = new Deferred<ServerSide>();
    loopback = await Loopback.serve({ train: (stream) => arrived.resolve(stream) });
    const worker = loopback.client().train();
    const numFrames = 24;
    // More than there are buffers for messages, and for the worker's before it is connected.
    const send = async (
      stream: { drained(): Promise<void> },
      sendOne: (frame: TensorFrame) => boolean,
    ): Promise<void> => {
      const values = new Float32Array(MAX_FRAME_BYTES / 4);
      for (let transfer = 0; transfer < numFrames; transfer++) {
        values.fill(transfer);
        const [frame] = encodeFrames({ transfer, transferKind: "gradient", values });
        const hasRoom = sendOne(frame!);
        values.fill(-1);
        if (!hasRoom) await stream.drained();
      }
    };
    const received = (stream: WorkerSide | ServerSide): Promise<number[]> =>
      new Promise((resolve) => {
        const transfers: number[] = [];
        stream.onMessage((message) => {
          if (message.kind !== "frame") return;
          checkFrame(message.frame);
          transfers.push(message.frame.transfer);
          if (transfers.length === numFrames) resolve(transfers);
        });
      });
    const atWorker = received(worker);
    const up = send(worker, (frame) => worker.send({ kind: "frame", frame }));
    const coordinator = await arrived.promise;
    const atCoordinator = received(coordinator);
    const down = send(coordinator, (frame) => coordinator.send({ kind: "frame", frame }));
    await Promise.all([up, down]);
    const all = Array.from({ length: numFrames }, (_, transfer) => transfer);
    expect(await Promise.all([atWorker, atCoordinator])).toEqual([all, all]);
  });
});

describe("back-pressure", () => {
  it("stops a sender whose receiver pauses, keeps the queue small, and loses nothing", async () => {
    const { worker, coordinator } = await open();
    const received: number[] = [];
    const last = new Deferred<undefined>();
    const numFrames = 32;
    coordinator.onMessage((message) => {
      if (message.kind !== "frame") return;
      received.push(message.frame.transfer);
      if (received.length === 1) coordinator.pause();
      if (received.length === numFrames) last.resolve(undefined);
    });
    // 32 MiB do not fit into the window of 4 MiB, the 16 messages that grpc-js reads ahead of a
    // receiver that pauses, and the queue of 4 MiB.
    let transfer = 0;
    let isBlocked = false;
    let mostQueued = 0;
    const send = async (): Promise<void> => {
      for (; transfer < numFrames; transfer++) {
        const hasRoom = worker.send(largeFrame(transfer));
        mostQueued = Math.max(mostQueued, worker.queuedBytes);
        if (hasRoom) continue;
        const drained = worker.drained();
        const isDrained = await Promise.race([drained.then(() => true), quiet()]);
        if (!isDrained) {
          isBlocked = true;
          coordinator.resume();
        }
        await drained;
      }
    };
    await send();
    await last.promise;
    expect(isBlocked).toBe(true);
    expect(received).toEqual(Array.from({ length: numFrames }, (_, index) => index));
    expect(mostQueued).toBeLessThan(6 * MAX_FRAME_BYTES);
  });

  /** False, after so many round trips on the same connection that a drain would have come first. */
  async function quiet(): Promise<false> {
    const client = loopback.client();
    for (let round = 0; round < 10; round++) await client.join(joinRequest);
    return false;
  }

  it("rejects those who wait for room when the stream fails", async () => {
    const { worker, coordinator } = await open();
    // Nobody reads: the window of 4 MiB takes some of it, and the queue stays long.
    for (let transfer = 0; transfer < 16; transfer++) worker.send(largeFrame(transfer));
    const drained = worker.drained();
    coordinator.end(new WireError("shuttingDown", "the run is over"));
    await expect(drained).rejects.toMatchObject({ code: "shuttingDown" });
  });
});

describe("the messages of a stream, iterated over", () => {
  it("are all there, in order, also for a slow reader, and end with the stream", async () => {
    const { worker, coordinator } = await open();
    for (let fence = 0; fence < 100; fence++) coordinator.send(revoke(fence));
    coordinator.end();
    const fences: number[] = [];
    for await (const message of worker.messages) {
      await Promise.resolve();
      if (message.kind === "revoke") fences.push(message.fence);
    }
    expect(fences).toEqual(Array.from({ length: 100 }, (_, fence) => fence));
  });

  it("end with the error of a stream that fails", async () => {
    const { worker, coordinator } = await open();
    coordinator.end(new WireError("unknownWorker", "nobody of this name"));
    const read = async (): Promise<void> => {
      for await (const message of worker.messages) expect(message).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ code: "unknownWorker" });
  });

  it("give the stream up when the reader leaves", async () => {
    const { worker, coordinator } = await open();
    coordinator.send(revoke(1));
    for await (const message of worker.messages) {
      expect(message).toEqual(revoke(1));
      break;
    }
    expect(await closing(coordinator)).toBe("unavailable");
  });
});
