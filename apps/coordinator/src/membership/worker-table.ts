/** Who is here. Identities are given at join, bound to one stream, and never used twice. */

import type { NumericsProfile } from "@ostinato/proto";
import { isSameSecret, WireError } from "@ostinato/proto";

/**
 * - `joined`: has an identity, its stream is not here yet
 * - `active`: its stream is open; it takes leases
 * - `draining`: it returned its leases and takes no more
 * - `quarantined`: it failed too often; it is told to go and takes no more
 * - `gone`: its stream is closed; the identity is dead
 */
export type WorkerState = "joined" | "active" | "draining" | "quarantined" | "gone";

/** What the rest of the coordinator may ask of a worker's stream. */
export interface WorkerLink {
  readonly stop: (failed: boolean, reason: string) => Promise<void>;
}

export interface WorkerRecord<Link extends WorkerLink> {
  readonly workerId: string;
  readonly name: string;
  readonly profile: NumericsProfile;
  readonly streamToken: string;
  /** Of the connection that joined; empty where none is asked for. */
  readonly certificate: string;
  /** That the join came from; empty over a Unix socket. */
  readonly address: string;
  readonly joinedAtMs: number;
  state: WorkerState;
  link: Link | undefined;
}

export class WorkerTable<Link extends WorkerLink> {
  readonly #workers = new Map<string, WorkerRecord<Link>>();
  readonly #createToken: () => string;
  readonly #incarnation: number;
  #numJoined = 0;

  constructor(options: { readonly incarnation: number; readonly createToken: () => string }) {
    this.#incarnation = options.incarnation;
    this.#createToken = options.createToken;
  }

  /** Identities that are not dead. */
  get size(): number {
    return this.#workers.size;
  }

  /** Identities that were given to an address and have not attached. */
  numJoinedOf(address: string): number {
    const isOne = (worker: WorkerRecord<Link>): boolean =>
      worker.state === "joined" && worker.address === address;
    return this.all().filter(isOne).length;
  }

  /** @param from certificate: digest of the one that the connection came with, without which no stream is attached */
  join(
    name: string,
    profile: NumericsProfile,
    nowMs: number,
    from: { readonly address: string; readonly certificate: string } = {
      address: "",
      certificate: "",
    },
  ): WorkerRecord<Link> {
    this.#numJoined += 1;
    const record: WorkerRecord<Link> = {
      // The incarnation keeps a worker of a resumed run apart from its predecessor's namesake.
      workerId: `worker-${this.#incarnation}-${this.#numJoined}`,
      name,
      profile,
      streamToken: this.#createToken(),
      ...from,
      joinedAtMs: nowMs,
      state: "joined",
      link: undefined,
    };
    this.#workers.set(record.workerId, record);
    return record;
  }

  /** @throws {WireError} `unknownWorker`, `streamRefused` */
  attach(workerId: string, streamToken: string, link: Link, certificate = ""): WorkerRecord<Link> {
    const record = this.#workers.get(workerId);
    if (
      record === undefined ||
      !isSameSecret(record.streamToken, streamToken) ||
      record.certificate !== certificate
    ) {
      throw new WireError("unknownWorker", `no worker ${workerId} joined with this token`);
    }
    if (record.state !== "joined") {
      throw new WireError("streamRefused", `${workerId} has or had a stream; join again`);
    }
    record.state = "active";
    record.link = link;
    return record;
  }

  drain(workerId: string): void {
    const record = this.#workers.get(workerId);
    if (record?.state === "active") record.state = "draining";
  }

  quarantine(workerId: string): void {
    const record = this.#workers.get(workerId);
    if (record !== undefined) record.state = "quarantined";
  }

  remove(workerId: string): void {
    const record = this.#workers.get(workerId);
    if (record === undefined) return;
    record.state = "gone";
    record.link = undefined;
    this.#workers.delete(workerId);
  }

  /** Forgets identities whose stream never came. */
  expireJoined(nowMs: number, joinedMs: number): void {
    for (const record of this.#workers.values()) {
      if (record.state === "joined" && nowMs - record.joinedAtMs >= joinedMs) {
        this.remove(record.workerId);
      }
    }
  }

  get(workerId: string): WorkerRecord<Link> | undefined {
    return this.#workers.get(workerId);
  }

  /** In the order of joining, which is the order in which leaves are shared out. */
  all(): readonly WorkerRecord<Link>[] {
    return [...this.#workers.values()];
  }

  active(): readonly WorkerRecord<Link>[] {
    return this.all().filter((worker) => worker.state === "active");
  }
}
