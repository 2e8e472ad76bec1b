import type { Server } from "@grpc/grpc-js";
import type { Http2Server, ServerHttp2Session } from "node:http2";

/** A server may be bound to several places, one after the other. */
const widened = new WeakSet<Http2Server>();

/**
 * Lets clients send so many bytes ahead of us, on a stream and on a connection. grpc-js' option
 * `grpc-node.flow_control_window` is one of clients alone (1.14.7); its server leaves HTTP/2's 64 KiB, at
 * the end of each of which a gradient on its way up waits to be told that it may go on. There is no
 * public way to the HTTP/2 servers in a grpc-js server: where another version keeps none at this place, the
 * windows stay as they are. A test says so.
 *
 * @param server right after it was bound, when there has been no connection from there
 */
export function widenServerWindows(server: Server, windowBytes: number): void {
  const { http2Servers } = server as unknown as {
    readonly http2Servers?: ReadonlyMap<Http2Server, unknown>;
  };
  for (const http2Server of http2Servers?.keys() ?? []) {
    if (widened.has(http2Server)) continue;
    widened.add(http2Server);
    http2Server.on("session", (session: ServerHttp2Session) => {
      session.settings({ initialWindowSize: windowBytes });
      session.setLocalWindowSize(windowBytes);
    });
  }
}
