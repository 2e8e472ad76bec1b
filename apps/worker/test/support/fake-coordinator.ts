/** A coordinator over real gRPC that does only what a test tells it. */

import { crc32 } from "node:zlib";

import type {
  CoordinatorMessage,
  JoinRequest,
  NumericsProfile,
  TrainStream,
  WorkerMessage,
} from "@ostinato/proto";
import {
  bindServer,
  createServer,
  digestOfFrames,
  encodeFrames,
  implementCoordinator,
  WireError,
} from "@ostinato/proto";

import type { SmallRun } from "./small-run.js";

/** The coordinator's end of one Train call, with what came over it. */
export class WorkerConnection {
  readonly received: WorkerMessage[] = [];
  readonly stream: TrainStream<WorkerMessage, CoordinatorMessage>;
  isClosed = false;
  #wake: () => void = () => undefined;

  constructor(stream: TrainStream<WorkerMessage, CoordinatorMessage>) {
    this.stream = stream;
    stream.onMessage((message) => {
      // Payloads are views on what gRPC received.
      this.received.push(structuredClone(message));
      this.#wake();
    });
    stream.onClosed(() => {
      this.isClosed = true;
      this.#wake();
    });
  }

  send(...messages: readonly CoordinatorMessage[]): void {
    for (const message of messages) this.stream.send(message);
  }

  /** Resolves with the first message that fits, come already or to come. */
  async message<T extends WorkerMessage>(
    fits: (message: WorkerMessage) => message is T,
  ): Promise<T>;
  async message(fits: (message: WorkerMessage) => boolean): Promise<WorkerMessage>;
  async message(fits: (message: WorkerMessage) => boolean): Promise<WorkerMessage> {
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined) return found;
      if (this.isClosed) throw new Error("the worker ended the stream");
      await this.#next();
    }
  }

  leaseEnded(fence: number): Promise<WorkerMessage> {
    return this.message((message) => message.kind === "leaseEnded" && message.fence === fence);
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await this.#next();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export interface FakeCoordinatorOptions {
  readonly run: SmallRun;
  readonly deadlineMs?: number;
  /** Answers a join with this refusal. */
  readonly refusal?: WireError;
  /** Ends every Train stream with this refusal. */
  readonly streamRefusal?: WireError;
  /** Data is sent when this is over. */
  readonly dataGate?: Promise<void>;
}

export class FakeCoordinator {
  readonly address: string;
  readonly joins: JoinRequest[] = [];
  readonly connections: WorkerConnection[] = [];
  readonly #forceShutdown: () => void;
  numFetches = 0;
  #wake: () => void = () => undefined;

  private constructor(address: string, forceShutdown: () => void) {
    this.address = address;
    this.#forceShutdown = forceShutdown;
  }

  static async start(options: FakeCoordinatorOptions): Promise<FakeCoordinator> {
    const server = createServer();
    const address = await bindServer(server, "127.0.0.1:0", { insecure: false });
    const fake = new FakeCoordinator(address, () => server.forceShutdown());
    const { run } = options;
    implementCoordinator(server, {
      join: (request) => {
        fake.joins.push(request);
        if (options.refusal !== undefined) return Promise.reject(options.refusal);
        return Promise.resolve({
          workerId: `worker-${fake.joins.length}`,
          jobId: "job-1",
          incarnation: 4,
          profile: request.profiles[0] as NumericsProfile,
          configJson: run.configJson,
          modelJson: JSON.stringify(run.spec),
          dataDigest: run.dataset.digest,
          deadlineMs: options.deadlineMs ?? 20_000,
          streamToken: `token-${fake.joins.length}`,
          segmentFolder: "",
        });
      },
      train: (stream) => {
        fake.connections.push(new WorkerConnection(stream));
        if (options.streamRefusal !== undefined) stream.end(options.streamRefusal);
        fake.#wake();
      },
      fetchData: async function* ({ digest }) {
        if (digest !== run.dataset.digest) throw new WireError("unknownData", digest);
        fake.numFetches += 1;
        await options.dataGate;
        const totalBytes = run.encoded.byteLength;
        for (let offset = 0; offset < totalBytes; offset += 1000) {
          const payload = run.encoded.subarray(offset, offset + 1000);
          yield { offset, totalBytes, payload, crc32: crc32(payload) };
        }
      },
      status: () => Promise.reject(new WireError("internal", "not asked for")),
      watch: () => {
        throw new WireError("internal", "not asked for");
      },
    });
    return fake;
  }

  async connection(index = 0): Promise<WorkerConnection> {
    for (;;) {
      const connection = this.connections[index];
      if (connection !== undefined) return connection;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#forceShutdown();
  }
}

/** Announcement and frames of one parameter version. */
export function parameterMessages(version: number, values: Float32Array): CoordinatorMessage[] {
  const transfer = 500 + version;
  const frames = encodeFrames({ transfer, transferKind: "parameters", values });
  const digest = digestOfFrames(frames.map((frame) => frame.crc32));
  return [
    { kind: "parameters", transfer, version, numFrames: frames.length, digest },
    ...frames.map((frame) => ({ kind: "frame", frame }) as const),
  ];
}
