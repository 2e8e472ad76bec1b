/** Bytes over a plain socket: what loopback itself does. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

import type { TransportClient } from "./transport-client.js";

/** Echoes nothing: sends `numBytes` when it gets one byte, and one byte when it has `numBytes`. */
export async function serveRaw(numBytes: number): Promise<string> {
  const all = Buffer.alloc(numBytes, 1);
  const server = createServer({ noDelay: true }, (socket) => {
    let numTaken = 0;
    let isAsked = false;
    socket.on("data", (bytes) => {
      if (!isAsked) {
        isAsked = true;
        socket.write(all);
        return;
      }
      numTaken += bytes.length;
      if (numTaken < numBytes) return;
      numTaken = 0;
      isAsked = false;
      socket.write(all.subarray(0, 1));
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return String((server.address() as AddressInfo).port);
}

/** The other end. */
export class RawClient implements TransportClient {
  readonly #socket: Socket;
  #numTaken = 0;
  #finish: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(port: string, numBytes: number) {
    const all = Buffer.alloc(numBytes, 1);
    this.#socket = connect({ host: "127.0.0.1", port: Number(port), noDelay: true });
    this.#socket.on("data", (bytes) => {
      this.#numTaken += bytes.length;
      if (this.#numTaken === numBytes) this.#socket.write(all);
      if (this.#numTaken > numBytes) this.#finish();
    });
    this.#socket.on("error", (error) => {
      this.#fail(error);
    });
  }

  roundTrip(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
      this.#numTaken = 0;
      this.#socket.write(Buffer.alloc(1));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
