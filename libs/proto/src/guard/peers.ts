import { isHealthCall } from "../access/index.js";
import { WireError } from "../errors/index.js";
import { COORDINATOR_SERVICE } from "../service-name.js";
import { PEER_LIMITS } from "../limits.js";
import { TokenBucket } from "./token-bucket.js";

/** What one address has open, and what it did of late. */
interface Peer {
  numConnections: number;
  readonly openCalls: Map<string, number>;
  readonly connects: TokenBucket;
  readonly calls: TokenBucket;
  readonly joins: TokenBucket;
}

/** More than there may be connections: among them are always some that can be forgotten. */
const MAX_PEERS = 2 * PEER_LIMITS.connections;

const JOIN = `/${COORDINATOR_SERVICE}/Join`;
const TRAIN = `/${COORDINATOR_SERVICE}/Train`;

/**
 * Bounds what one address may have and do, so that whoever is there cannot take the place of all others. Processes that
 * connect over a Unix socket are one peer. Time is given, in milliseconds of a clock that never goes back.
 */
export class Peers {
  readonly #peers = new Map<string, Peer>();

  /** @returns whether one more connection of the address is taken; counted until `disconnected` if so */
  connected(address: string, nowMs: number): boolean {
    const peer = this.#peer(address, nowMs);
    const { connectionsOfAddress } = PEER_LIMITS;
    if (peer.numConnections >= connectionsOfAddress || !peer.connects.take(nowMs)) return false;
    peer.numConnections += 1;
    return true;
  }

  disconnected(address: string): void {
    const peer = this.#peers.get(address);
    if (peer !== undefined) peer.numConnections -= 1;
  }

  /**
   * @param path such as `/ostinato.v1.Coordinator/Join`
   * @returns `resourceExhausted` if the call is not to be served; else it is counted until `ended`
   */
  begun(address: string, path: string, nowMs: number): WireError | undefined {
    const peer = this.#peer(address, nowMs);
    const { calls, joins } = PEER_LIMITS;
    if (!peer.calls.take(nowMs)) return tooMany(`calls a second: ${calls.perSecond}`);
    if (path === JOIN && !peer.joins.take(nowMs)) {
      return tooMany(`joins a second: ${joins.perSecond}`);
    }
    const numOpen = peer.openCalls.get(path) ?? 0;
    const most = mostOpen(path);
    if (numOpen >= most) return tooMany(`calls of ${nameOf(path)} open at once: ${most}`);
    peer.openCalls.set(path, numOpen + 1);
    return undefined;
  }

  ended(address: string, path: string): void {
    const openCalls = this.#peers.get(address)?.openCalls;
    const numOpen = openCalls?.get(path) ?? 0;
    if (numOpen > 1) openCalls?.set(path, numOpen - 1);
    else openCalls?.delete(path);
  }

  #peer(address: string, nowMs: number): Peer {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    if (this.#peers.size >= MAX_PEERS) this.#forgetThoseGone();
    const { connects, calls, joins } = PEER_LIMITS;
    const peer: Peer = {
      numConnections: 0,
      openCalls: new Map(),
      connects: new TokenBucket(connects, nowMs),
      calls: new TokenBucket(calls, nowMs),
      joins: new TokenBucket(joins, nowMs),
    };
    this.#peers.set(address, peer);
    return peer;
  }

  #forgetThoseGone(): void {
    for (const [address, peer] of this.#peers) {
      if (peer.numConnections === 0 && peer.openCalls.size === 0) this.#peers.delete(address);
    }
  }
}

function mostOpen(path: string): number {
  if (path === TRAIN) return PEER_LIMITS.openStreams;
  return isHealthCall(path) ? PEER_LIMITS.openHealthCalls : PEER_LIMITS.openCalls;
}

/** Of a call's path: `Join`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function tooMany(what: string): WireError {
  return new WireError("resourceExhausted", `one address may have ${what}; try again later`);
}
