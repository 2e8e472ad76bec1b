import type { Server } from "@grpc/grpc-js";
import type { Http2SecureServer, Http2Server } from "node:http2";

/** A server may be bound to several places, one after the other. */
const tended = new WeakSet<Http2Server | Http2SecureServer>();

/**
 * Hands over the HTTP/2 servers behind a grpc-js server, each once. There is no public way to them: where
 * another version than 1.14.7 keeps none at this place, none is handed over. Tests say so.
 *
 * @param server right after it was bound, when there has been no connection from there
 */
export function tendHttp2Servers(
  server: Server,
  tend: (http2Server: Http2Server | Http2SecureServer) => void,
): void {
  const { http2Servers } = server as unknown as {
    readonly http2Servers?: ReadonlyMap<Http2Server | Http2SecureServer, unknown>;
  };
  for (const http2Server of http2Servers?.keys() ?? []) {
    if (tended.has(http2Server)) continue;
    tended.add(http2Server);
    tend(http2Server);
  }
}
