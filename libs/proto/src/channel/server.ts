import { Server, ServerCredentials } from "@grpc/grpc-js";

import { onOneLine, WireError } from "../errors/index.js";
import type { Address } from "./address.js";
import { formatAddress, isLoopback, parseAddress } from "./address.js";
import type { ChannelSettings } from "./channel-options.js";
import { channelOptions, silenceGrpcConsole } from "./channel-options.js";

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
 * `insecure`. `localhost` is 127.0.0.1 here, so that it never is half in use.
 *
 * @param address `HOST:PORT`; port 0 takes any free port
 * @returns the port it listens on
 * @throws {WireError} `invalidAddress`, `notLoopback`, `portInUse` or `cannotListen`, each naming
 *   the address
 */
export async function bindServer(
  server: Server,
  address: string,
  options: { readonly insecure: boolean },
): Promise<number> {
  const { host, port } = requireLoopback(address, options);
  const target = formatAddress({ host: isLoopbackName(host) ? "127.0.0.1" : host, port });
  return await new Promise((resolve, reject) => {
    server.bindAsync(target, ServerCredentials.createInsecure(), (error, boundPort) => {
      if (error === null) resolve(boundPort);
      else reject(listenError(address, error));
    });
  });
}

function isLoopbackName(host: string): boolean {
  return host.toLowerCase() === "localhost";
}

function listenError(address: string, error: Error): WireError {
  if (error.message.includes("EADDRINUSE")) {
    return new WireError("portInUse", `cannot listen on ${address}: the port is in use`, {
      cause: error,
    });
  }
  return new WireError("cannotListen", `cannot listen on ${address}: ${onOneLine(error.message)}`, {
    cause: error,
  });
}
