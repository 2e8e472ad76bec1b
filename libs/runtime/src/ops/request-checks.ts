import { BlockList, isIP } from "node:net";

/**
 * Of every answer: a browser that is led here shows it to nobody, runs nothing of it, keeps nothing of it and
 * frames it nowhere.
 */
export const STRICT_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

const HOST = /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:]*))(?::\d+)?$/;

/** Whether a host can only be this machine. */
export function isLoopbackHost(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === "localhost";
  return loopback.check(host, version === 6 ? "ipv6" : "ipv4");
}

/**
 * Whether a request that came over loopback was meant for it. A page of the web can have its own name lead to
 * 127.0.0.1 (DNS rebinding) and would read what is here as its own; its name is then in the header.
 *
 * @param host the `Host` header, with or without a port
 */
export function isMeantForLoopback(host: string | undefined): boolean {
  const { ipv6, name = ipv6 } = HOST.exec(host ?? "")?.groups ?? {};
  return name !== undefined && isLoopbackHost(name);
}
