import { BlockList, isIP, isIPv6 } from "node:net";

import { WireError } from "../errors/index.js";

export interface Address {
  /** A name or an IP address; an IPv6 address stands without its brackets. */
  readonly host: string;
  /** 0 to 65535; 0 asks for any free port. */
  readonly port: number;
}

const ADDRESS = /^(?:\[(?<ipv6>[^\]]+)\]|(?<host>[\w.-]+)):(?<port>\d{1,5})$/;
const MAX_PORT = 65_535;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * Reads `HOST:PORT`, with an IPv6 address in brackets: `127.0.0.1:50051`, `[::1]:0`, `train-0:50051`.
 *
 * @throws {WireError} `invalidAddress`, naming the text
 */
export function parseAddress(address: string): Address {
  const { ipv6, host = ipv6, port } = ADDRESS.exec(address)?.groups ?? {};
  if (host === undefined || (ipv6 !== undefined && !isIPv6(ipv6)) || Number(port) > MAX_PORT) {
    throw new WireError(
      "invalidAddress",
      `${JSON.stringify(address)} is no address; it must be HOST:PORT or [IPV6]:PORT, with a port from 0 to ${MAX_PORT}`,
    );
  }
  return { host, port: Number(port) };
}

/** The text that `parseAddress` reads. */
export function formatAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host can only be this machine: `localhost`, 127.0.0.0/8 or ::1. No name is looked up. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === "localhost";
  return loopback.check(host, version === 6 ? "ipv6" : "ipv4");
}
