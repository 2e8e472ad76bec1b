/** A coordinator's address that passes everything on to another, and changes what workers say on the way. */

import {
  bindServer,
  checksumOfFrames,
  crcOfFrame,
  createCoordinatorClient,
  createServer,
  implementCoordinator,
} from "@ostinato/proto";
import type { CoordinatorClient, TensorFrame, WorkerMessage } from "@ostinato/proto";

type Server = ReturnType<typeof createServer>;

export interface Altered {
  /** The step of the upload. */
  readonly step: number;
  /** The values of one frame of its gradient, in place. */
  readonly values: Float32Array;
}

/**
 * Messages are taken apart and put together again, checksums and all: what comes out is what a worker with
 * a broken machine would send. Runs through it must not share memory.
 */
export class Relay {
  readonly address: string;
  readonly #client: CoordinatorClient;
  readonly #server: Server;

  private constructor(
    address: string,
    modules: { readonly client: CoordinatorClient; readonly server: Server },
  ) {
    this.address = address;
    this.#client = modules.client;
    this.#server = modules.server;
  }

  /**
   * @param options.alter what to do to gradients; called for each of their frames
   * @param options.begin until then workers hear nothing, and a run has as many of them as the test wants
   */
  static async start(
    coordinator: string,
    options: { readonly alter: (altered: Altered) => void; readonly begin: Promise<void> },
  ): Promise<Relay> {
    const client = createCoordinatorClient(coordinator);
    const server = createServer();
    implementCoordinator(server, {
      join: (request) => client.join(request),
      status: () => client.status(),
      fetchData: ({ digest }, signal) => client.fetchData(digest, signal),
      watch: (signal) => client.watch(signal),
      train: (down) => {
        const up = client.train();
        const change = alterGradients(options.alter);
        up.pause();
        void options.begin.then(() => {
          up.resume();
        });
        down.onMessage((message) => up.send(change(message)));
        up.onMessage((message) => down.send(message));
        down.onClosed((error) => {
          up.end(error);
        });
        up.onClosed((error) => {
          down.end(error);
        });
      },
    });
    const address = await bindServer(server, "127.0.0.1:0", { insecure: false });
    return new Relay(address, { client, server });
  }

  close(): void {
    this.#server.forceShutdown();
    this.#client.close();
  }
}

/** Of one stream: uploads stay whole in themselves. */
function alterGradients(
  alter: (altered: Altered) => void,
): (message: WorkerMessage) => WorkerMessage {
  const steps = new Map<number, number>();
  const crcs = new Map<number, number[]>();
  return (message) => {
    if (message.kind === "uploadBegin") {
      steps.set(message.transfer, message.step);
      crcs.set(message.transfer, []);
    }
    if (message.kind === "frame") {
      const { transfer } = message.frame;
      const frame = alteredFrame(message.frame, steps.get(transfer) ?? 0, alter);
      crcs.get(transfer)?.push(frame.crc32);
      return { kind: "frame", frame };
    }
    if (message.kind === "uploadEnd") {
      return { ...message, checksum: checksumOfFrames(crcs.get(message.transfer) ?? []) };
    }
    return message;
  };
}

function alteredFrame(
  frame: TensorFrame,
  step: number,
  alter: (altered: Altered) => void,
): TensorFrame {
  if (frame.transferKind !== "gradient") return frame;
  if (frame.valueFormat === "bfloat16") throw new Error("float32 gradients alone are altered");
  const payload = Uint8Array.from(frame.payload);
  alter({ step, values: new Float32Array(payload.buffer) });
  // Rows that are left out have a mask, which is under the checksum too.
  return { ...frame, payload, crc32: crcOfFrame({ ...frame, payload }) };
}
