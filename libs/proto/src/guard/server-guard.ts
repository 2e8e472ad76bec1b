import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ServerInterceptor } from "@grpc/grpc-js";
import { ServerInterceptingCall } from "@grpc/grpc-js";

import type { Tokens } from "../access/index.js";
import { accessProblem } from "../access/index.js";
import type { WireError } from "../errors/index.js";
import { onOneLine, toStatus } from "../errors/index.js";
import { PEER_LIMITS } from "../limits.js";
import { Peers } from "./peers.js";

/** Something a peer was not given: a connection, a handshake or a call. */
export interface Refusal {
  readonly reason:
    "connection" | "handshake" | "unauthenticated" | "forbidden" | "resourceExhausted";
  /** Its address; empty over a Unix socket, and where the connection was gone before it was asked. */
  readonly address: string;
  /** Why, in one line. */
  readonly text: string;
}

export interface ServerGuardOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
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
  const { now, tokens, onRefused } = options;
  const peers = new Peers();
  /** Ends its call, if that is no longer allowed. */
  const openCalls = new Set<() => void>();

  const interceptor: ServerInterceptor = ({ path }, call) => {
    const address = call.getConnectionInfo().remoteAddress ?? "";
    let isCounted = false;
    let check: (() => void) | undefined;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            const busy = peers.begun(address, path, now());
            isCounted = busy === undefined;
            const shown = metadata.get("authorization");
            // Several are none: which of them counts is nobody's guess.
            const authorization = shown.length === 1 ? shown[0]?.toString() : undefined;
            const problemNow = (): WireError | undefined => {
              const known = tokens();
              return known === undefined ? undefined : accessProblem(known, path, authorization);
            };
            const refuse = (problem: WireError): void => {
              const { code } = problem;
              const reason = code === "unauthenticated" || code === "forbidden" ? code : OVER_LIMIT;
              onRefused({ reason, address, text: problem.message });
              call.sendStatus(toStatus(problem));
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
            // Not for those who answer the call, nor for their logs.
            metadata.remove("authorization");
            proceed(metadata);
          },
          // At the end of every call, good or bad.
          onCancel: () => {
            if (isCounted) peers.ended(address, path);
            isCounted = false;
            if (check !== undefined) openCalls.delete(check);
          },
        }),
    });
  };

  const protect = (http2Server: Http2Server | Http2SecureServer): void => {
    http2Server.maxConnections = PEER_LIMITS.connections;
    http2Server.on("drop", (data?: { readonly remoteAddress?: string }) => {
      const text = `there are ${PEER_LIMITS.connections} connections already`;
      onRefused({ reason: "connection", address: data?.remoteAddress ?? "", text });
    });
    // Before the listeners that would read from it.
    http2Server.prependListener("connection", (socket: Socket) => {
      const address = socket.remoteAddress ?? "";
      if (!peers.connected(address, now())) {
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

const OVER_LIMIT = "resourceExhausted";
