import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";

/**
 * Lets clients send so many bytes ahead of us, on a stream and on a connection. grpc-js' option
 * `grpc-node.flow_control_window` is one of clients alone (1.14.7); its server leaves HTTP/2's 64 KiB, at
 * the end of each of which a gradient on its way up waits to be told that it may go on.
 */
export function widenWindows(
  http2Server: Http2Server | Http2SecureServer,
  windowBytes: number,
): void {
  http2Server.on("session", (session: ServerHttp2Session) => {
    session.settings({ initialWindowSize: windowBytes });
    session.setLocalWindowSize(windowBytes);
  });
}
