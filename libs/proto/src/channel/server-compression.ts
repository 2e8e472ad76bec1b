import type { Http2SecureServer, Http2Server, IncomingHttpHeaders } from "node:http2";

/** No encoding that grpc-js knows: it answers UNIMPLEMENTED, as gRPC wants it, and unpacks nothing. */
const REFUSED = "none-is-taken";

/**
 * Refuses compressed messages. grpc-js (1.14.7) unpacks gzip and deflate of any caller, up to the limit of a message, and all
 * that came in one piece at once: a thousand times the bytes that were sent, in memory and in time of the processor.
 * Tensors do not shrink, so that nobody who means well compresses. An option against it there is none; what it goes by is
 * this header, which it reads after us.
 */
export function refuseCompression(http2Server: Http2Server | Http2SecureServer): void {
  http2Server.prependListener("stream", (_stream: unknown, headers: IncomingHttpHeaders) => {
    const encoding = headers["grpc-encoding"];
    if (encoding !== undefined && encoding !== "identity") headers["grpc-encoding"] = REFUSED;
  });
}
