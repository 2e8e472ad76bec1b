/** A coordinator's service that asks the real one, with somebody listening in. */

import {
  bindServer,
  createCoordinatorClient,
  createServer,
  implementCoordinator,
  ServerTls,
} from "@ostinato/proto";
import type {
  ClientSecurity,
  CoordinatorClient,
  CoordinatorMessage,
  JoinReply,
  JoinRequest,
  ServerTlsFiles,
  TrainStream,
  WorkerMessage,
} from "@ostinato/proto";
import { openRelay } from "./relay.js";
import type { Relay } from "./relay.js";

/** One Train stream, from its attach to its end. */
export interface Passage {
  /** By the stream's attach; "" before it. */
  readonly workerId: string;
  /** Sends the coordinator a message of nobody's, after whatever is on its way. */
  inject(message: WorkerMessage): void;
}

/** Whoever listens in. Messages of one stream and direction come one at a time, in order. */
export interface Tap {
  /** The join goes on when this resolves. */
  join(request: JoinRequest): Promise<void>;
  joined(reply: JoinReply): void;
  /** @returns what goes on in its place, which may be nothing, or more */
  up(passage: Passage, message: WorkerMessage): Promise<readonly WorkerMessage[]>;
  down(passage: Passage, message: CoordinatorMessage): Promise<readonly CoordinatorMessage[]>;
  closed(passage: Passage): void;
}

export interface Way {
  /** Where the worker connects to. */
  readonly address: string;
  /** Between this service and the coordinator. */
  readonly relay: Relay;
  close(): Promise<void>;
}

export interface WayOptions {
  readonly upstreamPort: () => number | undefined;
  readonly deadlineMs: number;
  /** Both of its halves are encrypted, and the coordinator sees the worker's own certificate; undefined: neither is. */
  readonly tls: { readonly server: ServerTlsFiles; readonly client: ClientSecurity } | undefined;
}

export async function openWay(options: WayOptions, tap: Tap): Promise<Way> {
  const { upstreamPort, deadlineMs } = options;
  const tls =
    options.tls &&
    new ServerTls(options.tls.server, { wallTimeMs: () => Date.now(), report: () => undefined });
  const relay = await openRelay(upstreamPort);
  const client = createCoordinatorClient(relay.address, {
    deadlineMs,
    security: options.tls?.client,
  });
  const server = createServer({ deadlineMs });
  implementCoordinator(server, {
    join: async (request) => {
      await tap.join(request);
      const reply = await client.join(request);
      tap.joined(reply);
      return reply;
    },
    train: (stream) => {
      passOn(stream, client, tap);
    },
    fetchData: ({ digest }, signal) => client.fetchData(digest, signal),
    status: () => client.status(),
    watch: (signal) => client.watch(signal),
  });
  const address = await bindServer(server, "127.0.0.1:0", { insecure: false, tls });
  return {
    address,
    relay,
    close: async () => {
      server.forceShutdown();
      client.close();
      tls?.dispose();
      await relay.close();
    },
  };
}

type WorkerSide = TrainStream<WorkerMessage, CoordinatorMessage>;

function passOn(worker: WorkerSide, client: CoordinatorClient, tap: Tap): void {
  const coordinator = client.train();
  let workerId = "";
  const up = createQueue();
  const down = createQueue();
  const passage: Passage = {
    get workerId() {
      return workerId;
    },
    inject: (message) => {
      coordinator.send(message);
    },
  };
  worker.onMessage((message) => {
    up(async () => {
      if (message.kind === "attach") workerId = message.workerId;
      await sendAll(coordinator, await tap.up(passage, message));
    });
  });
  coordinator.onMessage((message) => {
    down(async () => {
      await sendAll(worker, await tap.down(passage, message));
    });
  });
  worker.onClosed((error) => {
    if (error !== undefined) coordinator.cancel();
    else
      up(() => {
        coordinator.end();
      });
  });
  coordinator.onClosed((error) => {
    tap.closed(passage);
    down(() => {
      worker.end(error);
    });
  });
}

async function sendAll<In, Out>(
  stream: TrainStream<In, Out>,
  messages: readonly Out[],
): Promise<void> {
  for (const message of messages) {
    // On a stream that has ended there is nothing to wait for.
    if (!stream.send(message)) await stream.drained().catch(() => undefined);
  }
}

/** Runs tasks one after the other. */
function createQueue(): (task: () => Promise<void> | void) => void {
  let last = Promise.resolve();
  return (task) => {
    last = last.then(task).catch(() => undefined);
  };
}
