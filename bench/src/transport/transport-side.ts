import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createSegmentFolder, removeSegmentFolder } from "@ostinato/proto";
import type { SegmentFolder } from "@ostinato/proto";
import { median } from "simple-statistics";

import { BenchError } from "../sides/index.js";
import type { Sample, Side } from "../sides/index.js";
import { BareClient } from "./bare-service.js";
import { ProtocolClient } from "./protocol-service.js";
import { RawClient } from "./raw-service.js";
import { VALUE_BYTES } from "./sizes.js";
import type { TransportCase } from "./sizes.js";
import type { TransportClient } from "./transport-client.js";

const SERVER = fileURLToPath(new URL("server-main.js", import.meta.url));
const WARM_UP_TRIPS = 3;

export type Transport =
  | { readonly kind: "protocol"; readonly target: string; readonly sharesMemory: boolean }
  | { readonly kind: "bare"; readonly target: string }
  | { readonly kind: "raw" };

/** One end here, the other in a process of its own. */
export class TransportSide implements Side<TransportCase> {
  readonly name: string;
  readonly #transport: Transport;
  #server: ChildProcess | undefined;
  #client: TransportClient | undefined;
  #folder: SegmentFolder | undefined;

  constructor(name: string, transport: Transport) {
    this.name = name;
    this.#transport = transport;
  }

  async prepare({ numValues }: TransportCase): Promise<void> {
    await this.close();
    const { kind } = this.#transport;
    const target = kind === "raw" ? "" : this.#transport.target;
    const sharesMemory = this.#transport.kind === "protocol" && this.#transport.sharesMemory;
    this.#folder = sharesMemory ? createSegmentFolder(process) : undefined;
    const folder = this.#folder?.name ?? "";
    this.#server = fork(SERVER, [kind, target, String(numValues), folder]);
    const exited = once(this.#server, "exit").then(() => {
      throw new BenchError("sideFailed", `${this.name}: its server ended`);
    });
    const [address] = (await Promise.race([once(this.#server, "message"), exited])) as [string];
    this.#client = clientOf(this.#transport, { address, numValues, folder });
    for (let trip = 0; trip < WARM_UP_TRIPS; trip++) await this.#client.roundTrip();
  }

  async measure(seconds: number): Promise<Sample> {
    const client = this.#client;
    if (client === undefined) throw new BenchError("sideFailed", `${this.name}: not prepared`);
    const tripsMs: number[] = [];
    const startMs = performance.now();
    let beforeMs = startMs;
    do {
      await client.roundTrip();
      const afterMs = performance.now();
      tripsMs.push(afterMs - beforeMs);
      beforeMs = afterMs;
    } while (beforeMs - startMs < seconds * 1000);
    return { ms: median(tripsMs) };
  }

  async close(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined && server.exitCode === null) {
      const exited = once(server, "exit");
      server.disconnect();
      await exited;
    }
    if (this.#folder !== undefined) removeSegmentFolder(this.#folder);
    this.#folder = undefined;
  }
}

function clientOf(
  transport: Transport,
  to: { readonly address: string; readonly numValues: number; readonly folder: string },
): TransportClient {
  const { address, numValues, folder } = to;
  switch (transport.kind) {
    case "protocol":
      return new ProtocolClient(address, numValues, folder);
    case "bare":
      return new BareClient(address, numValues * VALUE_BYTES);
    case "raw":
      return new RawClient(address, numValues * VALUE_BYTES);
    default:
      throw new RangeError(`no such transport: ${String(transport satisfies never)}`);
  }
}
