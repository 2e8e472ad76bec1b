import type { AddressInfo, Socket } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { Client, credentials } from "@grpc/grpc-js";

import { bindServer, createServer, parseAddress } from "../../src/channel/index.js";
import type { CoordinatorMessage, JoinReply, WorkerMessage } from "../../src/codec/index.js";
import type {
  CoordinatorClient,
  CoordinatorHandlers,
  TrainStream,
} from "../../src/service/index.js";
import { createCoordinatorClient, implementCoordinator } from "../../src/service/index.js";

export type ServerSide = TrainStream<WorkerMessage, CoordinatorMessage>;

export const joinRequest = {
  protocolVersion: 1,
  workerName: "worker-1",
  profiles: [{ backend: "wasm", version: "4.22.0", digest: "00ff" }],
};

export const joinReply: JoinReply = {
  workerId: "w1",
  jobId: "job",
  incarnation: 1,
  profile: joinRequest.profiles[0]!,
  configJson: "{}",
  modelJson: "{}",
  dataDigest: "aa",
  deadlineMs: 30_000,
  streamToken: "token",
  segmentFolder: "",
};

/** A promise with its ends outside. */
export class Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve!: (value: Value) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** A real server and clients over loopback, closed together. */
export class Loopback {
  readonly faults: [string, unknown][] = [];
  readonly #clients: { close(): void }[] = [];
  readonly server: Server = createServer();
  address = "";

  static async serve(
    handlers: Partial<CoordinatorHandlers> = {},
    target = "127.0.0.1:0",
  ): Promise<Loopback> {
    const loopback = new Loopback();
    const unexpected = (): never => {
      throw new Error("not called in this test");
    };
    implementCoordinator(
      loopback.server,
      {
        join: () => Promise.resolve(joinReply),
        train: unexpected,
        fetchData: unexpected,
        status: unexpected,
        watch: unexpected,
        ...handlers,
      },
      { onFault: (call, error) => loopback.faults.push([call, error]) },
    );
    loopback.address = await bindServer(loopback.server, target, { insecure: false });
    return loopback;
  }

  client(address = this.address): CoordinatorClient {
    const client = createCoordinatorClient(address);
    this.#clients.push(client);
    return client;
  }

  /** A client without our limits and codec. */
  rawClient(options: Record<string, unknown> = {}): Client {
    const client = new Client(this.address, credentials.createInsecure(), {
      "grpc.max_send_message_length": -1,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** Another address of the server, whose connections can be cut as a dying machine cuts them. */
  async proxy(): Promise<{ readonly address: string; cut(): void }> {
    const { port } = parseAddress(this.address);
    const sockets: Socket[] = [];
    const proxy = createTcpServer((socket) => {
      const onward = connect(port, "127.0.0.1");
      sockets.push(socket, onward);
      for (const each of [socket, onward]) each.on("error", () => undefined);
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const cut = (): void => {
      for (const socket of sockets.splice(0)) socket.destroy();
      proxy.close();
    };
    this.#clients.push({ close: cut });
    return { address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`, cut };
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.server.forceShutdown();
  }
}
