/** The two ports of a coordinator, open before there is a run: gRPC, and the read-only HTTP pages. */

import {
  addHealth,
  bindServer,
  createServer,
  formatAddress,
  implementCoordinator,
  parseAddress,
  requireLoopback,
} from "@ostinato/proto";
import type { CoordinatorHandlers } from "@ostinato/proto";
import { startOpsServer } from "@ostinato/runtime";
import type { Logger } from "@ostinato/runtime";
import type { Registry } from "prom-client";
import type { CoordinatorOptions } from "./coordinator-options.js";
import { lateHandlers } from "./rpc/index.js";

/** What is known only once the run is open. */
export interface RunBehindPorts {
  readonly handlers: CoordinatorHandlers;
  readonly logger: Logger;
  readonly isAlive: () => boolean;
}

export interface Ports {
  /** HOST:PORT for workers. */
  readonly address: string;
  /** Base URL of /metrics. */
  readonly metricsAddress: string;
  /** From now on calls are answered, and the coordinator is ready. */
  serve(run: RunBehindPorts): void;
  /** Not ready any more; calls back when every call has ended. */
  close(reason: string, closed: () => void): void;
  /** Cuts what is still open. */
  dispose(): Promise<void>;
}

/**
 * Opens both ports.
 *
 * @throws {WireError} `notLoopback`, `portInUse` and the like, which name the address
 */
export async function openPorts(
  options: Pick<CoordinatorOptions, "listen" | "http" | "insecure">,
  modules: { readonly registry: Registry; readonly deadlineMs: number },
): Promise<Ports> {
  const { listen, http, insecure } = options;
  const { registry, deadlineMs } = modules;
  const httpAddress = requireLoopback(http, { insecure });
  let behind: RunBehindPorts | undefined;
  let readiness: true | string = "the run is not ready yet";
  const onFault = (call: string, error: unknown): void => {
    behind?.logger.error({ err: error, call }, `${call || "a connection"} failed unexpectedly`);
  };
  const server = createServer({ deadlineMs });
  implementCoordinator(
    server,
    lateHandlers(() => behind?.handlers),
    { onFault },
  );
  const health = addHealth(server);
  try {
    const port = await bindServer(server, listen, { insecure });
    const ops = await startOpsServer({
      ...httpAddress,
      registry,
      isHealthy: () => behind?.isAlive() !== false || "the arithmetic thread has ended",
      isReady: () => readiness,
      onFault,
    });
    return {
      address: formatAddress({ ...parseAddress(listen), port }),
      metricsAddress: ops.address,
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
        await ops.close();
      },
    };
  } catch (error) {
    server.forceShutdown();
    throw error;
  }
}
