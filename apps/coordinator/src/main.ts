/** Builds a coordinator and runs it to the end of its run. */

import { hostname } from "node:os";
import { compiledCrc32 } from "@ostinato/kernels";
import { computeCrc32By } from "@ostinato/proto";
import { metricsOf, openMetricsFile, procProcesses, RunError } from "@ostinato/run";
import {
  collectProcessMetrics,
  createLogger,
  createShutdown,
  exitCodeOf,
  monitorEventLoopLag,
  systemClock,
} from "@ostinato/runtime";
import type { MetricsFile } from "@ostinato/run";
import type { Logger, Shutdown } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import { Registry } from "prom-client";
import { composeRun } from "./compose-run.js";
import type { ComposedRun } from "./compose-run.js";
import type { CoordinatorOptions } from "./coordinator-options.js";
import { sayLastWords } from "./last-words.js";
import { openPorts } from "./ports.js";
import { openSharedMemory } from "./segments/index.js";
import type { SharedMemory } from "./segments/index.js";
import { stopWorkers } from "./sessions/index.js";
import { announceEndpoints, createRun, notesOf, prepareRunData, resumeRun } from "./setup/index.js";
import type { Note, OpenRun, RunData } from "./setup/index.js";
import type { TrainingResult } from "./training/index.js";

const EXIT_DONE = 0;
const EXIT_FAILED = 1;

type Closer = () => Promise<void> | void;

/**
 * Runs the coordinator until its run is complete, it is told to stop, or it fails.
 *
 * A second signal ends the process at once, with its own code: the run directory is whole at any instant.
 *
 * @returns the exit code: 0 complete, 130 or 143 stopped by a signal after a checkpoint
 * @throws {RunError} {@link DataError} {@link WireError} {@link CoordinatorError} what went wrong, in one line
 */
export async function runCoordinator(options: CoordinatorOptions): Promise<number> {
  computeCrc32By(compiledCrc32());
  const shutdown = createShutdown();
  shutdown.onInsist((cause) => process.exit(exitCodeOf(cause)));
  const closers: Closer[] = [
    () => {
      shutdown.dispose();
    },
  ];
  try {
    return await serve(options, shutdown, closers);
  } catch (error) {
    // Stopped before there was a run to make a checkpoint of.
    if (shutdown.signal.aborted && error === shutdown.signal.reason) return shutdown.exitCode();
    throw error;
  } finally {
    for (const close of closers.reverse()) await closeQuietly(close);
  }
}

/** One thing that can't be closed does not keep the others open, nor hide why the run ended. */
async function closeQuietly(close: Closer): Promise<void> {
  try {
    await close();
  } catch (error) {
    process.stderr.write(`ostinato: while closing: ${String(error)}\n`);
  }
}

async function serve(
  options: CoordinatorOptions,
  shutdown: Shutdown,
  closers: Closer[],
): Promise<number> {
  const { config } = options;
  const data = await prepareRunData(config, options.configFile);
  const deadlineMs = Math.round(config.cluster.deadlineSeconds * 1000);
  const registry = new Registry();
  collectProcessMetrics(registry, "ostinato_coordinator_peak_resident_memory_bytes");
  const clock = systemClock;

  // Ports first: a run whose coordinator can't listen leaves no directory behind.
  const ports = await openPorts(options, { registry, deadlineMs, clock });
  closers.push(() => ports.dispose());
  const run = await openRun(options, data, deadlineMs, shutdown.signal);
  closers.push(() => {
    run.claim.release();
  });
  const { paths } = run.directory;
  const { logger, flush } = createLogger({
    process: "coordinator",
    file: `${paths.logs}/coordinator.log`,
    console: options.console,
  });
  const metricsFile = openMetricsFile(paths.metrics, {
    committed: run.resumed && metricsOf(run.resumed.ledger.records),
    guard: () => {
      run.claim.requireHeld();
    },
  });
  const lag = monitorEventLoopLag(registry, "ostinato_coordinator_event_loop_lag_seconds");
  closers.push(
    flush,
    () => {
      metricsFile.close();
    },
    () => {
      lag.stop();
    },
    () => run.ledger.close(),
  );
  const memory = config.cluster.sharedMemory ? sharedMemory(logger) : undefined;
  closers.push(() => memory?.dispose());
  const { address, localAddress, metricsAddress } = ports;
  const { goodbyeMs, lastWordsMs } = deriveTimeouts(deadlineMs);
  const composed = await composeRun(
    { config, data, run, deadlineMs, metricsAddress, stopping: shutdown.signal },
    { clock, logger, registry, metricsFile, memory, onRefused: ports.onRefused },
  );
  const { handlers, isAlive, fail } = composed;
  closers.push(() => composed.dispose());
  closers.push(
    sayLastWords(lastWordsMs, {
      ...{ source: process, clock, logger, fail },
      exit: () => process.exit(EXIT_FAILED),
    }),
  );
  ports.serve({ handlers, logger, isAlive });
  const self = { pid: process.pid, host: hostname(), startedAt: clock.wallTime().toISOString() };
  closers.push(await announceEndpoints(run, { ...self, address, metricsAddress }, logger));
  const notes = [...ports.notes, ...notesOf(data, run), ...notesOfMetrics(metricsFile)];
  options.onReady?.({ address, localAddress, metricsAddress, runDirectory: paths.root, notes });
  logger.info(`workers connect to ${address}; metrics at ${metricsAddress}/metrics`);
  logger.info(`run directory ${paths.root}`);
  for (const { level, text } of notes) logger[level](text);

  const stop = (failed: boolean, reason: string): Promise<void> =>
    stopWorkers({
      sessions: composed.sessions(),
      failed,
      reason,
      limitMs: goodbyeMs,
      clock,
      closeService: (closed) => {
        ports.close(reason, closed);
      },
    });
  const result = await trainToTheEnd(composed, shutdown, async (reason, error) => {
    logger.error({ err: error }, reason);
    // Its workers are for the coordinator that has the run now: their streams are cut, and they look for it.
    if (!isSuperseded(error)) await stop(true, reason);
  });
  // A short run is over before the next look.
  if (result.outcome === "completed") composed.lookForStalls();
  const reason = reasonOf(result);
  logger.info({ ...result }, reason);
  const { outcome, step, parametersSha256 } = result;
  composed.events.emit({ kind: "ended", outcome, reason, step, parametersSha256 });
  await stop(false, reason);
  return outcome === "completed" ? EXIT_DONE : shutdown.exitCode();
}

function notesOfMetrics({ problem }: MetricsFile): Note[] {
  if (problem === undefined) return [];
  return [{ level: "warn", text: `${problem.message}; training goes on without it` }];
}

function isSuperseded(error: unknown): boolean {
  return error instanceof RunError && error.code === "incarnationLost";
}

/** Why a run ended, in words. */
function reasonOf({ outcome, step, stopReason }: TrainingResult): string {
  if (outcome === "stopped") return "the run was stopped";
  if (stopReason === null) return "the run is complete";
  return `the run is complete: early stopping ended it at step ${step}`;
}

async function trainToTheEnd(
  { trainer, events }: ComposedRun,
  shutdown: Shutdown,
  onFailed: (reason: string, error: unknown) => Promise<void>,
): Promise<TrainingResult> {
  try {
    return await trainer.run(shutdown.signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const { step } = trainer;
    events.emit({ kind: "ended", outcome: "failed", reason, step, parametersSha256: "" });
    await onFailed(reason, error);
    throw error;
  }
}

function openRun(
  options: CoordinatorOptions,
  data: RunData,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<OpenRun> {
  const { config, resume, runDirectory, onWait } = options;
  const processes = procProcesses({ process, host: hostname() });
  const claimant = { processes, clock: systemClock, deadlineMs, signal, onWait };
  if (resume) return resumeRun({ config, data, path: runDirectory, claimant });
  return createRun({
    config,
    data,
    claimant,
    path: runDirectory,
    startedAt: systemClock.wallTime(),
  });
}

function sharedMemory(logger: Logger): SharedMemory | undefined {
  const opened = openSharedMemory(process);
  if (opened.memory === undefined) {
    logger.info(`no memory is shared with workers of this machine: ${opened.reason}`);
  }
  return opened.memory;
}
