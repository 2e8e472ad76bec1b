/** The composition root: builds a worker of its parts, runs it, and takes it down again. */

import { homedir, hostname, tmpdir } from "node:os";

import { compiledCrc32 } from "@ostinato/kernels";
import type { Address } from "@ostinato/proto";
import {
  computeCrc32By,
  createCoordinatorClient,
  parseEndpoint,
  requireLoopback,
  WireError,
} from "@ostinato/proto";
import type { Clock, Logger, Shutdown } from "@ostinato/runtime";
import {
  createLogger,
  createShutdown,
  exitCodeOf,
  monitorEventLoopLag,
  startOpsServer,
  systemClock,
  watchStrayErrors,
} from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";

import { messageOf, WorkerError } from "./errors/index.js";
import type { SessionState } from "./ops/index.js";
import { joinSharedMemory } from "./segments/index.js";
import type { PreparedWorker } from "./prepared-worker.js";
import { prepareWorker } from "./prepared-worker.js";
import type { StreamEnd } from "./session/index.js";
import { WorkerSession } from "./session/index.js";
import { defaultCacheDirectory } from "./shard/index.js";
import type { WorkerOptions } from "./worker-options.js";

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * Runs one worker in this process until its run ends, it is asked to leave, or it fails.
 *
 * @param prepared by `prepareWorker`, with the same backend and threads; prepared now unless given
 * @returns the exit code: 0 the run ended, or the worker drained after a first signal; 1 failed;
 *   2 an address or a file of credentials that cannot be used. A second signal ends the process at once, with 143 or 130.
 */
export async function runWorker(
  options: WorkerOptions,
  prepared?: PreparedWorker,
): Promise<number> {
  computeCrc32By(compiledCrc32());
  const name = options.name ?? `${hostname()}-${process.pid}`;
  let http: Address | undefined;
  let log: Log;
  try {
    // Before there is a log file: bad input leaves nothing behind.
    http = checkAddresses(options);
    // As the first connection will; nothing is connected before the first call.
    createCoordinatorClient(options.coordinator, { security: options.security }).close();
    log = openLog(name, options);
  } catch (error) {
    process.stderr.write(`ostinato worker: ${messageOf(error)}\n`);
    await prepared?.compute.close();
    return error instanceof WireError ? EXIT_USAGE : EXIT_FAILED;
  }
  const shutdown = createShutdown();
  const { lastWordsMs } = deriveTimeouts(deadlineMsOf(options));
  const watched = watchProcess(shutdown, log, lastWordsMs, systemClock);
  const drain = AbortSignal.any([shutdown.signal, watched.failed]);
  try {
    const { logger } = log;
    prepared ??= prepareWorker(options, process.version);
    const end = await serve(name, http, options, { drain, logger, prepared });
    return watched.failed.aborted ? EXIT_FAILED : exitCode(end, log);
  } catch (error) {
    // The error that nobody caught was told already.
    if (!watched.failed.aborted) log.lastLine(messageOf(error), error);
    return EXIT_FAILED;
  } finally {
    await log.flush();
    watched.stop();
    shutdown.dispose();
  }
}

/**
 * @returns where to show metrics
 * @throws {WireError} `invalidAddress`, `notLoopback`
 */
function checkAddresses({
  coordinator,
  http,
  insecure = false,
}: WorkerOptions): Address | undefined {
  const endpoint = parseEndpoint(coordinator);
  if (endpoint.kind === "tcp" && endpoint.port === 0) {
    throw new WireError(
      "invalidAddress",
      `${coordinator} is no coordinator's address; its port must be from 1 to 65535`,
    );
  }
  return http === undefined ? undefined : requireLoopback(http, { insecure });
}

const QUARANTINED = /^\S+ is quarantined: /;

function exitCode(end: StreamEnd, log: Log): number {
  switch (end.kind) {
    case "drained":
      log.logger.info("drained");
      return EXIT_DONE;
    case "stop":
      if (end.failed) {
        // A quarantined worker ends alone: the run goes on without it.
        const what = QUARANTINED.test(end.reason) ? "sent away" : "the run failed";
        log.lastLine(`${what}: ${end.reason}`);
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
  http: Address | undefined,
  options: WorkerOptions,
  modules: {
    readonly drain: AbortSignal;
    readonly logger: Logger;
    readonly prepared: PreparedWorker;
  },
): Promise<StreamEnd> {
  const { drain, logger, prepared } = modules;
  const cacheDirectory = options.cacheDirectory ?? ownCacheDirectory();
  const { registry, metrics, compute, offers } = prepared;
  // There is a thread that would keep the process.
  const closers: (() => Promise<void> | void)[] = [() => compute.close()];
  try {
    const eventLoopLag = monitorEventLoopLag(registry, "ostinato_worker_event_loop_lag_seconds");
    closers.push(() => eventLoopLag.stop());
    const session = new WorkerSession(
      {
        address: options.coordinator,
        workerName: name,
        deadlineMs: deadlineMsOf(options),
        cacheDirectory,
      },
      {
        connect: (deadlineMs) =>
          createCoordinatorClient(options.coordinator, { deadlineMs, security: options.security }),
        shareMemory: (identity) => joinSharedMemory(identity, { owner: process, logger }),
        compute,
        offers,
        clock: systemClock,
        random: Math.random,
        logger,
        metrics,
        drain,
      },
    );
    if (http !== undefined) {
      const ops = await startOpsServer({
        ...http,
        registry,
        isHealthy: () => !compute.lost.aborted || messageOf(compute.lost.reason),
        isReady: () => readiness(session.state),
        onFault: (path, error) => logger.error({ err: error, path }, "the metrics endpoint failed"),
      });
      closers.push(() => ops.close());
      // With port 0, nobody knows it otherwise.
      logger.info({ metricsAddress: ops.address }, "metrics are served");
      options.onReady?.({ metricsAddress: ops.address });
    }
    return await session.run();
  } finally {
    await Promise.all(closers.map(async (close) => close()));
  }
}

function readiness(state: SessionState): true | string {
  return state === "attached" ? true : `the worker is ${state}`;
}

function ownCacheDirectory(): string {
  return defaultCacheDirectory({
    env: process.env,
    homeDirectory: homedir,
    temporaryDirectory: tmpdir,
  });
}

/**
 * What ends this process, whatever it is at: at once, or after an error that nobody caught, upon which
 * `failed` aborts, and the leases go back before the process ends.
 */
function watchProcess(
  shutdown: Shutdown,
  log: Log,
  lastWordsMs: number,
  clock: Clock,
): { readonly failed: AbortSignal; readonly stop: () => void } {
  const failed = new AbortController();
  const onShutdown = (): void => {
    // The parent of a local child is gone: nobody is left to drain for.
    if (shutdown.cause?.kind === "parentGone") process.exit(shutdown.exitCode());
  };
  if (shutdown.signal.aborted) onShutdown();
  else shutdown.signal.addEventListener("abort", onShutdown, { once: true });
  shutdown.onInsist((cause) => process.exit(exitCodeOf(cause)));
  const stopWatching = watchStrayErrors(process, {
    onFirst: (error) => {
      const line = `unexpected: ${messageOf(error)}`;
      log.lastLine(line, error);
      clock.setTimer(lastWordsMs, () => process.exit(EXIT_FAILED));
      failed.abort(new WorkerError("internal", line, { cause: error }));
    },
    onFurther: (error) => {
      log.lastLine(`unexpected, while ending: ${messageOf(error)}`, error);
      process.exit(EXIT_FAILED);
    },
  });
  const stop = (): void => {
    shutdown.signal.removeEventListener("abort", onShutdown);
    stopWatching();
  };
  return { failed: failed.signal, stop };
}

function deadlineMsOf({ deadlineSeconds }: WorkerOptions): number {
  return Math.max(1, Math.round(deadlineSeconds * 1000));
}
