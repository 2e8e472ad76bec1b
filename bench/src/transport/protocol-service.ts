/**
 * The real protocol, both ends: on its Train stream a coordinator sends one version of parameters in
 * frames, a worker checks and copies them and uploads a gradient of the same size, which the coordinator
 * checks and copies. With a folder in shared memory the payloads go through segments there.
 */
import { compiledCrc32 } from "@ostinato/kernels";
import {
  bindServer,
  checkFrame,
  checksumOfFrames,
  computeCrc32By,
  createCoordinatorClient,
  createServer,
  encodeFrames,
  findSegmentFolder,
  gradientSegment,
  implementCoordinator,
  parametersSegment,
  readFrameInto,
  SegmentFiles,
  SegmentReader,
  writeSegmentFrame,
} from "@ostinato/proto";
import type {
  CoordinatorClient,
  CoordinatorHandlers,
  CoordinatorMessage,
  SegmentFrame,
  TensorFrame,
  TrainStream,
  WorkerMessage,
} from "@ostinato/proto";

import type { TransportClient } from "./transport-client.js";

const WORKER_ID = "bench";

// As coordinators and workers do.
computeCrc32By(compiledCrc32());

/**
 * @param folder name of a folder in shared memory, or ""
 * @returns the address that it listens on: `target`, or that with the port that it got
 */
export async function serveProtocol(
  target: string,
  numValues: number,
  folder: string,
): Promise<string> {
  const memory = memoryIn(folder);
  const parameters = new Float32Array(numValues).fill(0.01);
  // Made once for a version, as the coordinator does it: in the thread that makes the version.
  const frames = encodeFrames({ transfer: 1, transferKind: "parameters", values: parameters });
  const gradient = new Float32Array(numValues);
  const unused = (): never => {
    throw new Error("the benchmark calls Train alone");
  };
  const handlers: CoordinatorHandlers = {
    ...{ join: unused, fetchData: unused, status: unused, watch: unused },
    train(stream) {
      const checksums: number[] = [];
      stream.onMessage((message) => {
        switch (message.kind) {
          case "progress":
            void sendAll(stream, frames, memory?.writing(parametersSegment(1)));
            break;
          case "frame":
            take(message.frame, gradient);
            checksums.push(message.frame.crc32);
            break;
          case "segmentFrame":
            if (memory === undefined) throw new Error("no memory is shared");
            take(
              memory.read(gradientSegment(WORKER_ID, 1), "gradient", message.frame, gradient),
              gradient,
            );
            checksums.push(message.frame.crc32);
            break;
          case "uploadEnd":
            if (checksumOfFrames(checksums.splice(0)) !== message.checksum) {
              throw new Error("the upload's checksum is wrong");
            }
            stream.send({ kind: "revoke", fence: 1, reason: "the benchmark has all of it" });
            break;
          default:
        }
      });
      stream.onClosed(() => undefined);
    },
  };
  const server = createServer();
  implementCoordinator(server, handlers);
  return bindServer(server, target, { insecure: false });
}

/** A worker's end. */
export class ProtocolClient implements TransportClient {
  readonly #client: CoordinatorClient;
  readonly #stream: TrainStream<CoordinatorMessage, WorkerMessage>;
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #memory: Memory | undefined;
  #numTaken = 0;
  #finish: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(address: string, numValues: number, folder: string) {
    const memory = memoryIn(folder);
    this.#memory = memory;
    this.#parameters = new Float32Array(numValues);
    this.#gradient = new Float32Array(numValues).fill(0.02);
    this.#client = createCoordinatorClient(address);
    this.#stream = this.#client.train();
    this.#stream.onMessage((message) => {
      if (message.kind === "frame") this.#take(message.frame);
      if (message.kind === "segmentFrame" && memory !== undefined) {
        const { frame } = message;
        this.#take(memory.read(parametersSegment(1), "parameters", frame, this.#parameters));
      }
      if (message.kind === "revoke") this.#finish();
    });
    this.#stream.onClosed((error) => {
      this.#fail(error ?? new Error("the stream ended"));
    });
  }

  roundTrip(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
      this.#numTaken = 0;
      this.#stream.send({ kind: "progress", fence: 1, phase: "prepare", timeSteps: 0 });
    });
  }

  close(): void {
    this.#fail = () => undefined;
    this.#client.close();
  }

  #take(frame: TensorFrame): void {
    this.#numTaken += take(frame, this.#parameters);
    if (this.#numTaken === this.#parameters.length) this.#upload().catch(this.#fail);
  }

  async #upload(): Promise<void> {
    const frames = encodeFrames({ transfer: 2, transferKind: "gradient", values: this.#gradient });
    const node = { firstLeaf: 0, numLeaves: 1 };
    const place = { jobId: "bench", incarnation: 1, step: 1, fence: 1, node };
    this.#stream.send({ kind: "uploadBegin", transfer: 2, ...place });
    await sendAll(this.#stream, frames, this.#memory?.writing(gradientSegment(WORKER_ID, 1)));
    const checksum = checksumOfFrames(frames.map(({ crc32 }) => crc32));
    const numFrames = frames.length;
    this.#stream.send({ kind: "uploadEnd", transfer: 2, leaves: [], numFrames, checksum });
  }
}

function take(frame: TensorFrame, destination: Float32Array): number {
  checkFrame(frame);
  return readFrameInto(frame, destination);
}

type Frames =
  | { readonly kind: "frame"; readonly frame: TensorFrame }
  | { readonly kind: "segmentFrame"; readonly frame: SegmentFrame };

async function sendAll<In, Out>(
  stream: TrainStream<In, Out | Frames>,
  frames: readonly TensorFrame[],
  write: ((frame: TensorFrame) => SegmentFrame) | undefined,
): Promise<void> {
  for (const frame of frames) {
    const message: Frames =
      write === undefined
        ? { kind: "frame", frame }
        : { kind: "segmentFrame", frame: write(frame) };
    if (!stream.send(message)) await stream.drained();
  }
}

interface Memory {
  readonly read: SegmentReader["read"];
  readonly writing: (segment: string) => (frame: TensorFrame) => SegmentFrame;
}

function memoryIn(name: string): Memory | undefined {
  if (name === "") return undefined;
  const folder = findSegmentFolder(name, process);
  if (folder === undefined) throw new Error(`no folder ${name} in shared memory`);
  const files = new SegmentFiles(folder);
  const reader = new SegmentReader(files);
  return {
    read: (...frame) => reader.read(...frame),
    writing: (segment) => (frame) => writeSegmentFrame(files, segment, 1, frame),
  };
}
