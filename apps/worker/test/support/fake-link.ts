import { EventEmitter, on } from "node:events";

import type {
  CoordinatorMessage,
  DataChunk,
  JoinReply,
  JoinRequest,
  WorkerMessage,
} from "@ostinato/proto";
import { digestOfFrames, encodeFrames } from "@ostinato/proto";

import type { CoordinatorLink, TrainStream } from "../../src/session/index.js";
import { PROFILE } from "./fake-compute.js";

/** The worker's end of a Train call that leads nowhere but into the test. */
export class FakeStream implements TrainStream {
  readonly sent: WorkerMessage[] = [];
  isEnded = false;
  isCancelled = false;
  readonly #events = new EventEmitter();
  readonly messages: AsyncIterable<CoordinatorMessage>;

  constructor() {
    const arrivals = on(this.#events, "message", { close: ["close"] });
    this.messages = (async function* () {
      for await (const [message] of arrivals) yield message as CoordinatorMessage;
    })();
  }

  send(message: WorkerMessage): void {
    if (!this.isEnded) this.sent.push(message);
    this.#events.emit("sent", message);
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.isEnded = true;
    this.#events.emit("ended");
  }

  cancel(): void {
    this.isCancelled = true;
  }

  /** What a coordinator does. */
  push(...messages: readonly CoordinatorMessage[]): void {
    for (const message of messages) this.#events.emit("message", message);
  }

  close(): void {
    this.#events.emit("close");
  }

  fail(error: Error): void {
    this.#events.emit("error", error);
  }

  /** Resolves with the first message of a kind, sent already or to come. */
  async sentOfKind<K extends WorkerMessage["kind"]>(
    kind: K,
    index = 0,
  ): Promise<Extract<WorkerMessage, { kind: K }>> {
    for (;;) {
      const found = this.sent.filter((message) => message.kind === kind)[index];
      if (found !== undefined) return found as Extract<WorkerMessage, { kind: K }>;
      await new Promise((resolve) => this.#events.once("sent", resolve));
    }
  }

  async ended(): Promise<void> {
    if (!this.isEnded) await new Promise((resolve) => this.#events.once("ended", resolve));
  }
}

/** A link whose join does what the test says; each train call is one FakeStream. */
export class FakeLink implements CoordinatorLink {
  readonly streams: FakeStream[] = [];
  /** What each join was given to take, in milliseconds. */
  readonly joinDeadlinesMs: number[] = [];
  isClosed = false;
  readonly #join: (request: JoinRequest) => Promise<JoinReply>;
  readonly #data: () => AsyncIterable<DataChunk>;
  readonly #onStream: (stream: FakeStream) => void;

  constructor(o: {
    readonly join: (request: JoinRequest) => Promise<JoinReply>;
    readonly data: () => AsyncIterable<DataChunk>;
    readonly onStream: (stream: FakeStream) => void;
  }) {
    this.#join = o.join;
    this.#data = o.data;
    this.#onStream = o.onStream;
  }

  join(request: JoinRequest, options: { readonly deadlineMs: number }): Promise<JoinReply> {
    this.joinDeadlinesMs.push(options.deadlineMs);
    return this.#join(request);
  }

  fetchData(): AsyncIterable<DataChunk> {
    return this.#data();
  }

  train(): TrainStream {
    const stream = new FakeStream();
    this.streams.push(stream);
    this.#onStream(stream);
    return stream;
  }

  close(): void {
    this.isClosed = true;
  }
}

export const MODEL = {
  kind: "languageModel",
  vocabularySize: 5,
  embeddingSize: 2,
  cell: "lstm",
  hiddenSize: 3,
  numLayers: 1,
  dropout: 0,
  forgetBias: 1,
} as const;

/**
 * 5·2 (embedding) + (2 + 3)·12 (kernel) + 12 (bias) + 3·5 (head) + 5 (its bias).
 */
export const NUM_PARAMETERS = 10 + 60 + 12 + 15 + 5;

export const SETTINGS = {
  seed: 1,
  training: { batchSize: 4, sequenceLength: 3, microShards: 4 },
  evaluation: { batchSize: 2 },
  numerics: { gradients: "float32", gradientLeaves: null },
};

export function joinReply(overrides: Partial<JoinReply> = {}): JoinReply {
  return {
    workerId: "worker-1",
    jobId: "job-1",
    incarnation: 1,
    profile: PROFILE,
    configJson: JSON.stringify(SETTINGS),
    modelJson: JSON.stringify(MODEL),
    dataDigest: "0".repeat(64),
    deadlineMs: 5000,
    streamToken: "token",
    segmentFolder: "",
    ...overrides,
  };
}

/** A whole parameter version, every value of which is the version. */
export function parameters(version: number, size = NUM_PARAMETERS): CoordinatorMessage[] {
  const transfer = 1000 + version;
  const frames = encodeFrames({
    transfer,
    transferKind: "parameters",
    values: new Float32Array(size).fill(version),
  });
  const digest = digestOfFrames(frames.map((frame) => frame.crc32));
  return [
    { kind: "parameters", transfer, version, numFrames: frames.length, digest },
    ...frames.map((frame) => ({ kind: "frame", frame }) as const),
  ];
}
