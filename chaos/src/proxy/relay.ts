/** Passes bytes between two sockets, as badly as it is told to. */

import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Relay {
  /** Where to connect to. */
  readonly address: string;
  readonly numConnections: number;
  /** Lets so many more bytes of what comes from the worker through, then resets every connection. */
  cutAfter(numBytes: number): void;
  /** Swallows whatever either side sends from now on, and closes nothing: each side hears silence. */
  swallow(): void;
  /** Ends what `swallow` began, and the connections with it. */
  release(): void;
  /** Lets bytes from the worker through no faster than this, until so many have passed. */
  throttle(bytesPerSecond: number, numBytes: number): void;
  close(): Promise<void>;
}

interface Connection {
  readonly near: Socket;
  readonly far: Socket;
}

/** @param upstreamPort of the coordinator, asked for at each connection; undefined: there is none now */
export async function openRelay(upstreamPort: () => number | undefined): Promise<Relay> {
  const connections = new Set<Connection>();
  let bytesUntilCut: number | undefined;
  let isSwallowing = false;
  let slow = { bytesPerSecond: 0, bytesLeft: 0 };

  const reset = (): void => {
    for (const { near, far } of connections) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  const passUp = async (bytes: Buffer, { far }: Connection): Promise<void> => {
    if (isSwallowing) return;
    if (bytesUntilCut !== undefined) {
      const part = bytes.subarray(0, bytesUntilCut);
      bytesUntilCut -= part.length;
      if (bytesUntilCut > 0) {
        far.write(part);
        return;
      }
      bytesUntilCut = undefined;
      // What was let through must have left before the connection is reset, or nothing of it arrives.
      await new Promise<void>((resolve) => far.write(part, () => resolve()));
      reset();
      return;
    }
    if (slow.bytesLeft > 0) {
      slow.bytesLeft -= bytes.length;
      await sleep((bytes.length / slow.bytesPerSecond) * 1000);
    }
    if (!far.write(bytes)) await drainedOrClosed(far);
  };
  const passDown = async (bytes: Buffer, { near }: Connection): Promise<void> => {
    if (isSwallowing) return;
    if (!near.write(bytes)) await drainedOrClosed(near);
  };

  const server = createServer((near) => {
    const port = upstreamPort();
    if (port === undefined) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    near.setNoDelay(true);
    const connection = { near, far };
    connections.add(connection);
    pass(near, (bytes) => passUp(bytes, connection));
    pass(far, (bytes) => passDown(bytes, connection));
    const closed = (other: Socket) => (): void => {
      // Half open: the other side does not hear of it.
      if (!isSwallowing) other.destroy();
      if (near.destroyed && far.destroyed) connections.delete(connection);
    };
    near.on("close", closed(far)).on("error", () => undefined);
    far.on("close", closed(near)).on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    get numConnections() {
      return connections.size;
    },
    cutAfter: (numBytes) => {
      bytesUntilCut = numBytes;
    },
    swallow: () => {
      isSwallowing = true;
    },
    release: () => {
      isSwallowing = false;
      reset();
    },
    throttle: (bytesPerSecond, numBytes) => {
      slow = { bytesPerSecond, bytesLeft: numBytes };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reset();
      }),
  };
}

/** One chunk after the other, in order, with the socket paused meanwhile. */
function pass(socket: Socket, take: (bytes: Buffer) => Promise<void>): void {
  socket.on("data", (bytes: Buffer) => {
    socket.pause();
    void take(bytes).then(() => socket.resume());
  });
}

function drainedOrClosed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
