import { platform } from "node:os";
import { resolve } from "node:path";

import { WireError } from "../errors/index.js";
import type { Address } from "./address.js";
import { formatAddress, isLoopback, parseAddress } from "./address.js";

/** Where a coordinator is reached: over TCP, or over a Unix domain socket of this machine. */
export type Endpoint =
  | ({ readonly kind: "tcp" } & Address)
  /** `path` is absolute. */
  | { readonly kind: "unix"; readonly path: string };

const UNIX = "unix:";

/** Bytes of `sockaddr_un.sun_path`, less the zero at its end; Node cuts a longer path off silently. */
const MAX_PATH_BYTES = platform() === "linux" ? 107 : 103;

/**
 * Reads `HOST:PORT` as `parseAddress` does, or `unix:PATH`; a relative path starts from the working
 * directory, and `unix:///PATH`, gRPC's other spelling, is absolute.
 *
 * @throws {WireError} `invalidAddress`, naming the text
 */
export function parseEndpoint(address: string): Endpoint {
  if (!address.startsWith(UNIX)) return { kind: "tcp", ...parseAddress(address) };
  const given = address.slice(UNIX.length);
  const path = given.startsWith("///") ? given.slice(2) : given;
  // Two slashes would begin the name of a host, and `@` or a zero an abstract socket, which has no
  // permissions.
  if (path === "" || path.startsWith("//") || path.startsWith("@") || path.includes("\0")) {
    throw new WireError(
      "invalidAddress",
      `${JSON.stringify(address)} is no address; it must be unix: and the path of a socket`,
    );
  }
  const absolute = resolve(path);
  const numBytes = Buffer.byteLength(absolute);
  if (numBytes > MAX_PATH_BYTES) {
    throw new WireError(
      "invalidAddress",
      `the path of ${address} has ${numBytes} bytes; a Unix socket's has at most ${MAX_PATH_BYTES}`,
    );
  }
  return { kind: "unix", path: absolute };
}

/** The text that `parseEndpoint` and gRPC read. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? `${UNIX}${endpoint.path}` : formatAddress(endpoint);
}

/** Whether it can only be this machine: a Unix socket, or what `isLoopback` says of the host. */
export function isLocal(endpoint: Endpoint): boolean {
  return endpoint.kind === "unix" || isLoopback(endpoint.host);
}
