/** The two ports of a coordinator, open before there is a run: gRPC, and the read-only HTTP pages. */

import {
  addHealth,
  bindServer,
  createServer,
  implementCoordinator,
  isLoopback,
  requireLoopback,
  WireError,
} from "@ostinato/proto";
import type { CoordinatorHandlers, Refusal } from "@ostinato/proto";
import { startOpsServer } from "@ostinato/runtime";
import type { Clock, Logger } from "@ostinato/runtime";
import type { Registry } from "prom-client";
import type { CoordinatorOptions } from "./coordinator-options.js";
import { lateHandlers } from "./rpc/index.js";
import { openSecurity } from "./security/index.js";
import type { Note } from "./setup/index.js";

/** What is known only once the run is open. */
export interface RunBehindPorts {
  readonly handlers: CoordinatorHandlers;
  readonly logger: Logger;
  readonly isAlive: () => boolean;
}

export interface Ports {
  /** Where workers connect. */
  readonly address: string;
  /** Where those of this machine do: the local socket, or `address` if there is none. */
  readonly localAddress: string;
  /** Base URL of /metrics. */
  readonly metricsAddress: string;
  /** What there is to say of where it listens. */
  readonly notes: readonly Note[];
  /** Counts and tells of what a handler turns away. */
  readonly onRefused: (refusal: Refusal) => void;
  /** From now on calls are answered, and the coordinator is ready. */
  serve(run: RunBehindPorts): void;
  /** Not ready any more; calls back when every call has ended. */
  close(reason: string, closed: () => void): void;
  /** Cuts what is still open. */
  dispose(): Promise<void>;
}

/** What an address beyond loopback needs. */
const REMEDY = "--tls-cert, --tls-key and --token-file";

/**
 * Opens both ports, and the local socket where one is asked for: without it local workers use the port.
 *
 * @throws {WireError} `notLoopback`, `portInUse` and the like, which name the address; `credentialFile`
 */
export async function openPorts(
  options: Pick<CoordinatorOptions, "listen" | "localSocket" | "http" | "insecure" | "security">,
  modules: { readonly registry: Registry; readonly deadlineMs: number; readonly clock: Clock },
): Promise<Ports> {
  const { listen, localSocket, http, insecure, security: files = {} } = options;
  const { registry, deadlineMs, clock } = modules;
  let behind: RunBehindPorts | undefined;
  let readiness: true | string = "the run is not ready yet";
  const onFault = (call: string, error: unknown): void => {
    behind?.logger.error({ err: error, call }, `${call || "a connection"} failed unexpectedly`);
  };
  const report = (level: "info" | "warn", text: string): void => behind?.logger[level](text);
  const security = openSecurity(files, { clock, registry, report });
  const { tls, guard, isComplete } = security;
  const server = createServer({ deadlineMs, guard });
  try {
    const rule = { insecure, isProtected: isComplete, remedy: REMEDY };
    const httpAddress = requireLoopback(http, rule);
    implementCoordinator(
      server,
      lateHandlers(() => behind?.handlers),
      { onFault },
    );
    const health = await addHealth(server);
    const address = await bindServer(server, listen, { ...rule, tls });
    const local = localSocket === undefined ? undefined : await bindLocal(server, localSocket);
    // On loopback and with --insecure it is plain: whoever reaches it there may read it.
    const isPlain = insecure || isLoopback(httpAddress.host);
    const ops = await startOpsServer({
      ...httpAddress,
      registry,
      ...(isPlain ? {} : { encryption: tls, mayRead: security.mayRead }),
      isHealthy: () => behind?.isAlive() !== false || "the arithmetic thread has ended",
      isReady: () => readiness,
      onFault,
    });
    return {
      address,
      localAddress: local?.address ?? address,
      metricsAddress: ops.address,
      notes: local?.notes ?? [],
      onRefused: security.onRefused,
      serve: (run) => {
        behind = run;
        readiness = true;
        health.set("", "SERVING");
      },
      close: (reason, closed) => {
        readiness = reason;
        health.set("", "NOT_SERVING");
        server.tryShutdown(closed);
      },
      dispose: async () => {
        server.forceShutdown();
        security.dispose();
        await ops.close();
      },
    };
  } catch (error) {
    server.forceShutdown();
    security.dispose();
    throw error;
  }
}

/** A socket that cannot be had costs speed, not the run. */
async function bindLocal(
  server: Parameters<typeof bindServer>[0],
  path: string,
): Promise<{ readonly address?: string; readonly notes: readonly Note[] }> {
  try {
    return { address: await bindServer(server, `unix:${path}`, { insecure: false }), notes: [] };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return {
      notes: [{ level: "warn", text: `${error.message}; local workers connect over TCP instead` }],
    };
  }
}
