import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";
import { constants } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ServerInterceptor } from "@grpc/grpc-js";
import { ServerInterceptingCall } from "@grpc/grpc-js";

import type { Tokens } from "../access/index.js";
import { accessProblem, isKnownCall } from "../access/index.js";
import type { WireError } from "../errors/index.js";
import { onOneLine, toStatus } from "../errors/index.js";
import { PEER_LIMITS } from "../limits.js";
import { nameOf, Peers } from "./peers.js";
import type { GuardClock } from "./unfinished-request.js";
import { UnfinishedRequest } from "./unfinished-request.js";

/**
 * - `connection`: too many, or too fast one after the other
 * - `handshake`: not encrypted as it must be, or without a valid certificate
 * - `unauthenticated`: without a token, or with one that is not known
 * - `forbidden`: not for the token's role
 * - `unknownCall`: there is no such call
 * - `resourceExhausted`: more than one address may have or do
 * - `request`: too large, or not whole in time
 * - `stream`: not attached, or not to a worker that joined
 */
export const REFUSAL_REASONS = [
  "connection",
  "handshake",
  "unauthenticated",
  "forbidden",
  "unknownCall",
  "resourceExhausted",
  "request",
  "stream",
] as const;

/** Something a peer was not given: a connection, a handshake, a call or a page. */
export interface Refusal {
  readonly reason: (typeof REFUSAL_REASONS)[number];
  /** Its address; empty over a Unix socket, and where the connection was gone before it was asked. */
  readonly address: string;
  /** Why, in one line. */
  readonly text: string;
}

export interface ServerGuardOptions {
  readonly clock: GuardClock;
  /** Tokens that callers must show at this moment; undefined: none is asked for. */
  readonly tokens: () => Tokens | undefined;
  readonly onRefused: (refusal: Refusal) => void;
}

/** Stands before a server: who may connect, how often, and who may call what. */
export interface ServerGuard {
  /** Decides over each call before a byte of its message is read. */
  readonly interceptor: ServerInterceptor;
  /** Decides anew over the calls that are open: those that the tokens of now do not allow are ended. */
  recheck(): void;
  /** Decides over each connection, before a byte of it is read. */
  protect(http2Server: Http2Server | Http2SecureServer): void;
}

export function createServerGuard(options: ServerGuardOptions): ServerGuard {
  const { clock, tokens, onRefused } = options;
  const peers = new Peers();
  /** Ends its call, if that is no longer allowed. */
  const openCalls = new Set<() => void>();
  /** What came last: grpc-js makes a call of it in the same turn, which does not say of which stream it is. */
  let newest: ServerHttp2Stream | undefined;

  const interceptor: ServerInterceptor = ({ path, requestStream }, call) => {
    const address = call.getConnectionInfo().remoteAddress ?? "";
    const stream = newest;
    newest = undefined;
    let isCounted = false;
    let isHalfClosed = false;
    let check: (() => void) | undefined;
    let request: UnfinishedRequest | undefined;
    const refuse = (problem: WireError): void => {
      onRefused({ reason: reasonOf(problem), address, text: problem.message });
      call.sendStatus(toStatus(problem));
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const busy = peers.begun(address, path, clock.now());
            isCounted = busy === undefined;
            const shown = metadata.get("authorization");
            // Several are none: which of them counts is nobody's guess.
            const authorization = shown.length === 1 ? shown[0]?.toString() : undefined;
            const problemNow = (): WireError | undefined => {
              const known = tokens();
              return known === undefined ? undefined : accessProblem(known, path, authorization);
            };
            const problem = busy ?? problemNow();
            if (problem !== undefined) {
              refuse(problem);
              return;
            }
            check = () => {
              const later = problemNow();
              if (later === undefined) return;
              refuse(later);
              // The first one waits until the peer has read what was sent before it; said again, the call is over at once.
              call.sendStatus(toStatus(later));
            };
            openCalls.add(check);
            if (stream !== undefined) {
              const [name, isStreamed] = [nameOf(path), requestStream];
              request = new UnfinishedRequest({
                ...{ stream, name, isStreamed, clock },
                onProblem: refuse,
              });
            }
            // Not for those who answer the call, nor for their logs.
            metadata.remove("authorization");
            proceed(metadata);
          },
          onReceiveHalfClose: (proceed) => {
            isHalfClosed = true;
            request?.end();
            proceed();
          },
          // At the end of every call, good or bad.
          onCancel: () => {
            request?.end();
            if (isCounted) peers.ended(address, path);
            isCounted = false;
            if (check !== undefined) openCalls.delete(check);
            if (!isHalfClosed && stream !== undefined) closeOnceAnswered(stream);
          },
        }),
    });
  };

  const watchStreams = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    const { ":path": path = "" } = headers;
    newest = stream;
    // grpc-js answers it before it asks any interceptor.
    if (isKnownCall(path)) return;
    const address = stream.session?.socket.remoteAddress ?? "";
    onRefused({ reason: "unknownCall", address, text: `there is no call ${onOneLine(path)}` });
  };

  const protect = (http2Server: Http2Server | Http2SecureServer): void => {
    http2Server.prependListener("stream", watchStreams);
    http2Server.maxConnections = PEER_LIMITS.connections;
    http2Server.on("drop", (data?: { readonly remoteAddress?: string }) => {
      const text = `there are ${PEER_LIMITS.connections} connections already`;
      onRefused({ reason: "connection", address: data?.remoteAddress ?? "", text });
    });
    // Before the listeners that would read from it.
    http2Server.prependListener("connection", (socket: Socket) => {
      const address = socket.remoteAddress ?? "";
      if (!peers.connected(address, clock.now())) {
        const text = "too many connections of one address, or too fast one after the other";
        onRefused({ reason: "connection", address, text });
        socket.destroy();
        return;
      }
      socket.once("close", () => {
        peers.disconnected(address);
      });
    });
    http2Server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      const address = socket.remoteAddress ?? "";
      // Of a certificate that is not taken, the error says no more than that the connection ended.
      const { authorizationError } = socket as { readonly authorizationError?: unknown };
      const why = typeof authorizationError === "string" ? authorizationError : error.message;
      const text = onOneLine(why);
      onRefused({ reason: "handshake", address, text });
    });
  };

  const recheck = (): void => {
    for (const check of [...openCalls]) check();
  };

  return { interceptor, recheck, protect };
}

/**
 * Closes a stream whose peer has not said that it sends no more. What still comes nobody reads; but grpc-js waits for the end of
 * it, and keeps what there is of a message until then. "No error" is HTTP/2's word for that (RFC 9113, 8.1).
 */
function closeOnceAnswered(stream: ServerHttp2Stream): void {
  const closeSoon = (): void => {
    // HTTP/2 is at sending the status just now, and a reset overtakes what it has not sent.
    // eslint-disable-next-line no-restricted-globals -- a turn of the event loop, not a time
    setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
  };
  if (stream.closed || stream.destroyed || !stream.headersSent) return;
  const { sentHeaders, sentTrailers } = stream;
  if ((sentTrailers ?? sentHeaders)["grpc-status"] !== undefined) closeSoon();
  // Of a call that is over while its peer reads nothing.
  else stream.once("wantTrailers", closeSoon);
}

function reasonOf({ code }: WireError): Refusal["reason"] {
  switch (code) {
    case "unauthenticated":
    case "forbidden":
      return code;
    case "messageTooLarge":
    case "deadlineExceeded":
      return "request";
    default:
      return "resourceExhausted";
  }
}
