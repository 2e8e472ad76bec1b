import { Server, ServerCredentials } from "@grpc/grpc-js";

import { onOneLine, WireError } from "../errors/index.js";
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
import { widenServerWindows } from "./server-windows.js";
import { removeDeadSocket } from "./unix-socket.js";

/** A server with bounded messages and keepalive, which listens nowhere yet. */
export function createServer(settings: ChannelSettings = {}): Server {
  silenceGrpcConsole();
  return new Server(channelOptions(settings));
}

/**
 * Reads an address to listen on without encryption, of which all but loopback needs to be allowed.
 *
 * @throws {WireError} `invalidAddress` or `notLoopback`, naming the address
 */
export function requireLoopback(address: string, options: { readonly insecure: boolean }): Address {
  const parsed = parseAddress(address);
  if (isLoopback(parsed.host) || options.insecure) return parsed;
  throw new WireError(
    "notLoopback",
    `${address} can be reached from other machines, and this server has neither encryption nor tokens; listen on 127.0.0.1, or say --insecure`,
  );
}

/**
 * Starts to listen, unencrypted and for anyone who can reach the address: on loopback only, unless
 * `insecure`. `localhost` is 127.0.0.1 here, so that it never is half in use. A Unix socket is loopback: who
 * may connect is up to the permissions of its file and folder. One that a dead process left is replaced.
 *
 * @param address `HOST:PORT`, of which port 0 takes any free port; or `unix:PATH`
 * @returns the address that clients connect to
 * @throws {WireError} `invalidAddress`, `notLoopback`, `portInUse` or `cannotListen`, each naming
 *   the address
 */
export async function bindServer(
  server: Server,
  address: string,
  options: { readonly insecure: boolean },
): Promise<string> {
  const endpoint = parseEndpoint(address);
  if (endpoint.kind === "unix") {
    await removeDeadSocket(endpoint.path);
    await bind(server, endpoint, address);
    return formatEndpoint(endpoint);
  }
  const { host, port } = requireLoopback(address, options);
  const named = isLoopbackName(host) ? "127.0.0.1" : host;
  const boundPort = await bind(server, { kind: "tcp", host: named, port }, address);
  return formatAddress({ host, port: boundPort });
}

async function bind(server: Server, endpoint: Endpoint, address: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync(formatEndpoint(endpoint), credentials, (error, boundPort) => {
      if (error !== null) {
        reject(listenError(address, endpoint.kind, error));
        return;
      }
      // Before the event loop takes a connection.
      widenServerWindows(server, FLOW_CONTROL_WINDOW_BYTES);
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
