/**
 * grpc-js with nothing around it: the same bytes as messages of 1 MiB on one bidirectional stream,
 * neither encoded nor checked nor copied, with the settings that were seen to be fastest. The server's windows
 * are wide, which grpc-js' own options cannot make them: `bindServer` does, as it does for the protocol.
 */
import { once } from "node:events";
import type { EventEmitter } from "node:events";

import { Client, credentials, Metadata, Server } from "@grpc/grpc-js";
import type { ClientDuplexStream, ServerDuplexStream } from "@grpc/grpc-js";

import { bindServer } from "@ostinato/proto";

import type { TransportClient } from "./transport-client.js";

const PATH = "/ostinato.bench.Bare/Transfer";
const MESSAGE_BYTES = 1 << 20;
const OPTIONS = {
  "grpc-node.flow_control_window": 64 << 20,
  "grpc.max_send_message_length": -1,
  "grpc.max_receive_message_length": -1,
};
const same = (bytes: Buffer): Buffer => bytes;
const ONE_BYTE = Buffer.alloc(1);

/** @param target `unix:PATH` or `127.0.0.1:0`. @returns what a client connects to */
export async function serveBare(target: string, numBytes: number): Promise<string> {
  const messages = messagesOf(numBytes);
  const server = new Server(OPTIONS);
  const transfer = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    let numTaken = 0;
    call.on("data", (bytes: Buffer) => {
      // One byte asks for everything.
      if (bytes.length === 1) void writeAll(call, messages);
      else numTaken += bytes.length;
      if (numTaken < numBytes) return;
      numTaken = 0;
      call.write(ONE_BYTE);
    });
    call.on("end", () => {
      call.end();
    });
    call.on("error", () => undefined);
  };
  server.addService(
    {
      transfer: {
        path: PATH,
        ...{ requestStream: true, responseStream: true },
        ...{ requestSerialize: same, requestDeserialize: same },
        ...{ responseSerialize: same, responseDeserialize: same },
      },
    },
    { transfer },
  );
  return bindServer(server, target, { insecure: false });
}

/** The other end. */
export class BareClient implements TransportClient {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  #numTaken = 0;
  #finish: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(target: string, numBytes: number) {
    const messages = messagesOf(numBytes);
    this.#client = new Client(target, credentials.createInsecure(), OPTIONS);
    this.#call = this.#client.makeBidiStreamRequest(PATH, same, same, new Metadata());
    this.#call.on("data", (bytes: Buffer) => {
      if (bytes.length === 1) {
        this.#finish();
        return;
      }
      this.#numTaken += bytes.length;
      if (this.#numTaken === numBytes) writeAll(this.#call, messages).catch(this.#fail);
    });
    this.#call.on("error", (error) => {
      this.#fail(error);
    });
  }

  roundTrip(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
      this.#numTaken = 0;
      this.#call.write(ONE_BYTE);
    });
  }

  close(): void {
    this.#fail = () => undefined;
    this.#call.cancel();
    this.#client.close();
  }
}

function messagesOf(numBytes: number): readonly Buffer[] {
  const all = Buffer.alloc(numBytes, 1);
  const numMessages = Math.ceil(numBytes / MESSAGE_BYTES);
  return Array.from({ length: numMessages }, (_, message) =>
    all.subarray(message * MESSAGE_BYTES, (message + 1) * MESSAGE_BYTES),
  );
}

async function writeAll(
  call: EventEmitter & { write(message: Buffer): boolean },
  messages: readonly Buffer[],
): Promise<void> {
  for (const message of messages) {
    if (!call.write(message)) await once(call, "drain");
  }
}
