import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createEncryptedServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { isIPv6 } from "node:net";
import type { SecureContextOptions } from "node:tls";

import type { Registry } from "prom-client";

import { RuntimeError } from "../errors/index.js";
import { isLoopbackHost, isMeantForLoopback, STRICT_HEADERS } from "./request-checks.js";
import { FIXED_TIMEOUTS } from "../timeouts/index.js";

/** A page as it is sent, such as a status page. */
export interface OpsPage {
  readonly contentType: string;
  readonly body: string;
}

/** What to be encrypted with, and what to go on with when that changes. */
export interface OpsEncryption {
  readonly context: SecureContextOptions;
  onReloaded(listener: (context: SecureContextOptions) => void): void;
}

export interface OpsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly registry: Registry;
  /** True, or in one line why the process should be restarted. */
  readonly isHealthy: () => true | string;
  /** True, or in one line why the process cannot do its work now. */
  readonly isReady: () => true | string;
  /** Served as HTTPS; as plain HTTP unless given. */
  readonly encryption?: OpsEncryption | undefined;
  /**
   * Whether metrics and pages may be read from this address with this `Authorization` header; by everybody unless given.
   * Whether the process is healthy and ready, everybody may ask.
   */
  readonly mayRead?: ((authorization: string | undefined, address: string) => boolean) | undefined;
  /** Further pages by path, such as `/`. */
  readonly pages?: Readonly<Record<string, () => OpsPage>>;
  /**
   * Told what a page or metric threw; the caller sees 500 without the reason. Told under the path ""
   * of what goes wrong with the listening socket, as when the process is out of file descriptors.
   */
  readonly onFault?: (path: string, error: unknown) => void;
}

export interface OpsServer {
  /** Such as `http://127.0.0.1:9464`, or `https://…` where it is encrypted. */
  readonly address: string;
  readonly port: number;
  /** Resolves when the port is free again; open connections are closed. */
  close(): Promise<void>;
}

/** Whoever is slower, bigger or more than this is no monitoring system. */
const LIMITS = {
  headerBytes: 8 << 10,
  numConnections: 64,
  /** Of one address: a few scrapers and probes, so that nobody takes all there are. */
  numConnectionsOfAddress: 16,
};

const TEXT = "text/plain; charset=utf-8";

interface Answer extends OpsPage {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Serves `/metrics`, `/healthz`, `/readyz` and the given pages, for GET and HEAD.
 *
 * @throws {RuntimeError} `portInUse` or `cannotListen`, naming host and port
 */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { host, port, onFault, encryption } = options;
  const limits = {
    maxHeaderSize: LIMITS.headerBytes,
    headersTimeout: FIXED_TIMEOUTS.httpRequestMs,
    requestTimeout: FIXED_TIMEOUTS.httpRequestMs,
    keepAliveTimeout: FIXED_TIMEOUTS.httpIdleMs,
    connectionsCheckingInterval: FIXED_TIMEOUTS.httpCheckMs,
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const path = pathOf(request);
    answer(options, request, path)
      .catch((error: unknown) => {
        onFault?.(path, error);
        return plain(500, "internal error");
      })
      .then((page) => send(request, response, page))
      .catch((error: unknown) => onFault?.(path, error));
  };
  const server =
    encryption === undefined
      ? createServer(limits, onRequest)
      : createEncrypted(encryption, limits, onRequest);
  server.maxConnections = LIMITS.numConnections;
  boundAddresses(server, LIMITS.numConnectionsOfAddress);
  await listen(server, host, port);
  // Without a listener such an error would end the process, which has better things to do.
  server.on("error", (error) => onFault?.("", error));
  const bound = server.address() as AddressInfo;
  return {
    address: `${encryption === undefined ? "http" : "https"}://${isIPv6(host) ? `[${host}]` : host}:${bound.port}`,
    port: bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createEncrypted(
  encryption: OpsEncryption,
  limits: Readonly<Record<string, number>>,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const timing = { ...limits, handshakeTimeout: FIXED_TIMEOUTS.tlsHandshakeMs };
  const server = createEncryptedServer({ ...encryption.context, ...timing }, onRequest);
  encryption.onReloaded((context) => {
    server.setSecureContext(context);
  });
  return server;
}

/** Ends connections of an address that has so many open already. */
function boundAddresses(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const { remoteAddress = "" } = socket;
    const count = (open.get(remoteAddress) ?? 0) + 1;
    open.set(remoteAddress, count);
    socket.once("close", () => {
      const left = (open.get(remoteAddress) ?? 1) - 1;
      if (left === 0) open.delete(remoteAddress);
      else open.set(remoteAddress, left);
    });
    if (count > most) socket.destroy();
  });
}

async function answer(
  options: OpsServerOptions,
  request: IncomingMessage,
  path: string,
): Promise<Answer> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...plain(405, "only GET and HEAD"), headers: { allow: "GET, HEAD" } };
  }
  if (hasBody(request)) return plain(413, "no request body is taken");
  const { registry, host, mayRead, pages = {} } = options;
  if (isLoopbackHost(host) && !isMeantForLoopback(request.headers.host)) {
    return plain(421, "this is no server of that name");
  }
  const isOpen = path === "/healthz" || path === "/readyz";
  const { remoteAddress = "" } = request.socket;
  if (!isOpen && mayRead?.(request.headers.authorization, remoteAddress) === false) {
    return { ...plain(401, "a token is needed"), headers: { "www-authenticate": "Bearer" } };
  }
  switch (path) {
    case "/metrics":
      return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
    case "/healthz":
      return verdict(options.isHealthy());
    case "/readyz":
      return verdict(options.isReady());
    default: {
      const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
      return page === undefined ? plain(404, "not found") : { status: 200, ...page() };
    }
  }
}

function send(request: IncomingMessage, response: ServerResponse, page: Answer): void {
  const body = Buffer.from(page.body);
  response.writeHead(page.status, {
    ...STRICT_HEADERS,
    ...page.headers,
    "content-type": page.contentType,
    "content-length": body.byteLength,
    // What else the caller sends is not read, so that the connection is of no further use.
    ...(hasBody(request) ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const [path = "/"] = url.split("?", 1);
  return path;
}

function verdict(state: true | string): Answer {
  return state === true ? plain(200, "ok") : plain(503, state);
}

function plain(status: number, line: string): Answer {
  return { status, contentType: TEXT, body: `${line}\n` };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const where = `cannot listen on ${isIPv6(host) ? `[${host}]` : host}:${port}`;
      reject(
        error.code === "EADDRINUSE"
          ? new RuntimeError("portInUse", `${where}: the port is in use`, { cause: error })
          : new RuntimeError("cannotListen", `${where}: ${error.message}`, { cause: error }),
      );
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve();
    });
  });
}
