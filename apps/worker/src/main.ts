/** The composition root: builds a worker of its parts, runs it, and takes it down again. */

import { readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";

import type { BackendName } from "@ostinato/kernels/tensor";
import { createCoordinatorClient, parseAddress } from "@ostinato/proto";
import type { Logger, Shutdown } from "@ostinato/runtime";
import {
  createLogger,
  createShutdown,
  monitorEventLoopLag,
  startOpsServer,
  systemClock,
} from "@ostinato/runtime";
import { Registry } from "prom-client";

import { messageOf } from "./errors/index.js";
import { createWorkerMetrics } from "./ops/index.js";
import type { SessionState, StreamEnd } from "./session/index.js";
import { WorkerSession } from "./session/index.js";
import { ComputeThread } from "./training/index.js";
import type { WorkerOptions } from "./worker-options.js";

/** Preferred first. */
const BACKENDS: readonly BackendName[] = ["wasm", "cpu"];

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;
const SIGNAL_EXIT_CODE = { SIGTERM: 143, SIGINT: 130 } as const;

/**
 * Runs one worker in this process until its run ends, it is asked to leave, or it fails.
 *
 * @returns the exit code: 0 the run ended, or the worker drained after a first signal; 1 failed;
 *   2 an address that is none. A second signal ends the process at once, with 143 or 130.
 */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const name = options.name ?? `${hostname()}-${process.pid}`;
  let log: Log;
  try {
    log = openLog(name, options);
  } catch (error) {
    process.stderr.write(`ostinato worker: ${messageOf(error)}\n`);
    return EXIT_FAILED;
  }
  try {
    parseAddress(options.coordinator);
    if (options.http !== undefined) parseAddress(options.http);
  } catch (error) {
    log.lastLine(messageOf(error));
    await log.flush();
    return EXIT_USAGE;
  }
  const shutdown = createShutdown();
  const stopWatching = watchProcess(shutdown, log);
  try {
    const end = await serve(name, options, shutdown, log.logger);
    return exitCodeOf(end, log);
  } catch (error) {
    log.lastLine(messageOf(error));
    return EXIT_FAILED;
  } finally {
    await log.flush();
    stopWatching();
    shutdown.dispose();
  }
}

function exitCodeOf(end: StreamEnd, log: Log): number {
  switch (end.kind) {
    case "drained":
      log.logger.info("drained");
      return EXIT_DONE;
    case "stop":
      if (end.failed) {
        log.lastLine(`the run failed: ${end.reason}`);
        return EXIT_FAILED;
      }
      log.logger.info({ reason: end.reason }, "the run is over");
      return EXIT_DONE;
    default:
      return end satisfies never;
  }
}

interface Log {
  readonly logger: Logger;
  /** Why the worker ends, once: in the log, and on standard error whatever the console shows. */
  lastLine(line: string, error?: unknown): void;
  flush(): Promise<void>;
}

function openLog(name: string, options: WorkerOptions): Log {
  const created = createLogger({
    process: name,
    console: options.console,
    ...(options.logFile === undefined ? {} : { file: options.logFile }),
  });
  const { logger } = created;
  return {
    logger,
    lastLine: (line, error) => {
      logger.error(error === undefined ? {} : { err: error }, line);
      if (options.console === "none") process.stderr.write(`ostinato worker: ${line}\n`);
    },
    flush: () => created.flush(),
  };
}

async function serve(
  name: string,
  options: WorkerOptions,
  shutdown: Shutdown,
  logger: Logger,
): Promise<StreamEnd> {
  const registry = new Registry();
  const metrics = createWorkerMetrics(registry, { version: ownVersion(), node: process.version });
  const eventLoopLag = monitorEventLoopLag(registry, "ostinato_worker_event_loop_lag_seconds");
  const compute = new ComputeThread({
    entry: new URL("./training/compute-thread-main.js", import.meta.url),
    onTensors: (numTensors) => metrics.tensors.set(numTensors),
  });
  const session = new WorkerSession(
    {
      address: options.coordinator,
      workerName: name,
      deadlineMs: options.deadlineSeconds * 1000,
      backends: options.backend === undefined ? BACKENDS : [options.backend],
      cacheDirectory: options.cacheDirectory ?? defaultCacheDirectory(),
    },
    {
      connect: (deadlineMs) => createCoordinatorClient(options.coordinator, { deadlineMs }),
      compute,
      clock: systemClock,
      random: Math.random,
      logger,
      metrics,
      drain: shutdown.signal,
    },
  );
  const closers: (() => Promise<void>)[] = [() => compute.close()];
  try {
    if (options.http !== undefined) {
      const ops = await startOpsServer({
        ...parseAddress(options.http),
        registry,
        isHealthy: () => true,
        isReady: () => readiness(session.state),
      });
      closers.push(() => ops.close());
      options.onReady?.({ metricsAddress: ops.address });
    }
    return await session.run();
  } finally {
    eventLoopLag.stop();
    await Promise.all(closers.map((close) => close()));
  }
}

function readiness(state: SessionState): true | string {
  return state === "attached" ? true : `the worker is ${state}`;
}

function ownVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function defaultCacheDirectory(): string {
  const caches = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(caches, "ostinato", "data");
}

/** What ends this process at once, whatever it is at. */
function watchProcess(shutdown: Shutdown, log: Log): () => void {
  const onSecondSignal = (signal: NodeJS.Signals): void => {
    process.exit(SIGNAL_EXIT_CODE[signal === "SIGINT" ? "SIGINT" : "SIGTERM"]);
  };
  const onShutdown = (): void => {
    // The parent of a local child is gone: nobody is left to drain for.
    if (shutdown.cause?.kind === "parentGone") process.exit(shutdown.exitCode());
    for (const signal of SIGNALS) process.on(signal, onSecondSignal);
  };
  const onStray = (error: unknown): void => {
    log.lastLine(`unexpected: ${messageOf(error)}`, error);
    process.exit(EXIT_FAILED);
  };
  if (shutdown.signal.aborted) onShutdown();
  else shutdown.signal.addEventListener("abort", onShutdown, { once: true });
  process.on("uncaughtException", onStray);
  process.on("unhandledRejection", onStray);
  return () => {
    shutdown.signal.removeEventListener("abort", onShutdown);
    process.off("uncaughtException", onStray);
    process.off("unhandledRejection", onStray);
    for (const signal of SIGNALS) process.off(signal, onSecondSignal);
  };
}
