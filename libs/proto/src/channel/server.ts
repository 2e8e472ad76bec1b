import { Server, ServerCredentials } from "@grpc/grpc-js";

import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";

import { onOneLine, WireError } from "../errors/index.js";
import type { ServerGuard } from "../guard/index.js";
import { PEER_LIMITS } from "../limits.js";
import type { ServerTls } from "../tls/index.js";
import type { Address } from "./address.js";
import { formatAddress, isLoopback, parseAddress } from "./address.js";
import type { ChannelSettings } from "./channel-options.js";
import {
  channelOptions,
  FLOW_CONTROL_WINDOW_BYTES,
  silenceGrpcConsole,
} from "./channel-options.js";
import type { Endpoint } from "./endpoint.js";
import { formatEndpoint, parseEndpoint } from "./endpoint.js";
import { tendHttp2Servers } from "./http2-servers.js";
import { refuseCompression } from "./server-compression.js";
import { widenWindows } from "./server-windows.js";
import { removeDeadSocket } from "./unix-socket.js";

export interface ServerSettings extends ChannelSettings {
  /** Stands before the service and each of its addresses; without it everybody may call what there is. */
  readonly guard?: ServerGuard;
}

/** A server with bounded messages, streams and keepalive, which listens nowhere yet. */
export function createServer(settings: ServerSettings = {}): Server {
  silenceGrpcConsole();
  const { guard } = settings;
  const server = new Server({
    ...channelOptions(settings),
    "grpc.max_concurrent_streams": PEER_LIMITS.streamsOfConnection,
    "grpc.max_connection_idle_ms": FIXED_TIMEOUTS.idleConnectionMs,
    ...(guard === undefined ? {} : { interceptors: [guard.interceptor] }),
  });
  if (guard !== undefined) guards.set(server, guard);
  return server;
}

/** Of the servers that have one, for when they listen. */
const guards = new WeakMap<Server, ServerGuard>();

export interface ListenRule {
  /** Whether all addresses are allowed, whatever protects them. */
  readonly insecure: boolean;
  /** Whether encryption and tokens are there; false unless given. */
  readonly isProtected?: boolean;
  /** What would protect such a listener, for the message; its program has no such options unless given. */
  readonly remedy?: string;
}

/**
 * Reads an address to listen on. One that other machines can reach needs encryption and tokens, or a word that it
 * shall do without.
 *
 * @throws {WireError} `invalidAddress` or `notLoopback`, naming the address
 */
export function requireLoopback(address: string, rule: ListenRule): Address {
  const { insecure, isProtected = false, remedy } = rule;
  const parsed = parseAddress(address);
  if (isLoopback(parsed.host) || insecure || isProtected) return parsed;
  const either = remedy === undefined ? "" : ` give ${remedy},`;
  throw new WireError(
    "notLoopback",
    `${address} can be reached from other machines, and this server lacks encryption or tokens; listen on 127.0.0.1,${either} or say --insecure`,
  );
}

export interface BindOptions extends ListenRule {
  /** Encrypts what goes over TCP; a Unix socket is never encrypted. */
  readonly tls?: ServerTls | undefined;
}

/**
 * Starts to listen: encrypted with `tls`; unencrypted on loopback only, unless `insecure`. `localhost` is
 * 127.0.0.1 here, so that it never is half in use. A Unix socket is loopback: who may connect is up to
 * the permissions of its file and folder. One that a dead process left is replaced.
 *
 * @param address `HOST:PORT`, of which port 0 takes any free port; or `unix:PATH`
 * @returns the address that clients connect to
 * @throws {WireError} `invalidAddress`, `notLoopback`, `portInUse` or `cannotListen`, each naming
 *   the address
 */
export async function bindServer(
  server: Server,
  address: string,
  options: BindOptions,
): Promise<string> {
  const endpoint = parseEndpoint(address);
  if (endpoint.kind === "unix") {
    await removeDeadSocket(endpoint.path);
    await bind(server, endpoint, { address });
    return formatEndpoint(endpoint);
  }
  const { host, port } = requireLoopback(address, options);
  const named = isLoopbackName(host) ? "127.0.0.1" : host;
  const { tls } = options;
  const boundPort = await bind(server, { kind: "tcp", host: named, port }, { address, tls });
  return formatAddress({ host, port: boundPort });
}

async function bind(
  server: Server,
  endpoint: Endpoint,
  { address, tls }: { readonly address: string; readonly tls?: ServerTls | undefined },
): Promise<number> {
  const credentials = tls?.credentials() ?? ServerCredentials.createInsecure();
  return await new Promise((resolve, reject) => {
    server.bindAsync(formatEndpoint(endpoint), credentials, (error, boundPort) => {
      if (error !== null) {
        reject(listenError(address, endpoint.kind, error));
        return;
      }
      // Before the event loop takes a connection.
      tendHttp2Servers(server, (http2Server) => {
        widenWindows(http2Server, FLOW_CONTROL_WINDOW_BYTES);
        refuseCompression(http2Server);
        guards.get(server)?.protect(http2Server);
      });
      resolve(boundPort);
    });
  });
}

function isLoopbackName(host: string): boolean {
  return host.toLowerCase() === "localhost";
}

function listenError(address: string, kind: Endpoint["kind"], error: Error): WireError {
  if (error.message.includes("EADDRINUSE")) {
    const taken = kind === "tcp" ? "the port is in use" : "the file is there already";
    return new WireError("portInUse", `cannot listen on ${address}: ${taken}`, { cause: error });
  }
  return new WireError("cannotListen", `cannot listen on ${address}: ${onOneLine(error.message)}`, {
    cause: error,
  });
}
