/** Builds a coordinator and runs it to the end of its run. */

import { randomBytes } from "node:crypto";
import {
  addHealth,
  bindServer,
  createServer,
  digestOfFrames,
  encodeFrames,
  formatAddress,
  implementCoordinator,
  parseAddress,
} from "@ostinato/proto";
import type { CoordinatorHandlers, StatusReply } from "@ostinato/proto";
import { openMetricsFile, trajectoryDigest } from "@ostinato/run";
import {
  createLogger,
  createShutdown,
  monitorEventLoopLag,
  startOpsServer,
  systemClock,
} from "@ostinato/runtime";
import type { Logger, Shutdown } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { CheckpointKeeper, RunStore } from "./checkpoints/index.js";
import type { CoordinatorOptions } from "./coordinator-options.js";
import { ProfilePolicy, WorkerTable } from "./membership/index.js";
import { buildStatus, createMetrics, StallWatch } from "./ops/index.js";
import type { MetricsSources } from "./ops/index.js";
import { createHandlers, lateHandlers } from "./rpc/index.js";
import { stopWorkers } from "./sessions/index.js";
import type { WorkerSession } from "./sessions/index.js";
import { createRun, describeSamples, prepareRunData, resumeRun } from "./setup/index.js";
import type { OpenRun, RunData } from "./setup/index.js";
import { ArithmeticThread, BufferPool, ParameterVersion } from "./steps/index.js";
import { CarriedStates, Dispatcher, EventHub, Trainer, TrainingPlan } from "./training/index.js";
import type { TrainingResult } from "./training/index.js";

const EXIT_DONE = 0;

/**
 * Runs the coordinator until its run is complete, it is told to stop, or it fails.
 *
 * @returns the exit code: 0 complete, 130 or 143 stopped by a signal after a checkpoint
 * @throws {RunError} {@link DataError} {@link WireError} {@link CoordinatorError} what went wrong, in one line
 */
export async function runCoordinator(options: CoordinatorOptions): Promise<number> {
  const shutdown = createShutdown();
  const cleanup: (() => Promise<void> | void)[] = [
    () => {
      shutdown.dispose();
    },
  ];
  try {
    return await serve(options, shutdown, cleanup);
  } finally {
    await closeAll(cleanup.reverse());
  }
}

/** One thing that can't be closed does not keep the others open, nor hide why the run ended. */
async function closeAll(closers: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closers) {
    try {
      await close();
    } catch (error) {
      process.stderr.write(`ostinato: while closing: ${String(error)}\n`);
    }
  }
}

async function serve(
  options: CoordinatorOptions,
  shutdown: Shutdown,
  cleanup: (() => Promise<void> | void)[],
): Promise<number> {
  const { config } = options;
  const clock = systemClock;
  const data = await prepareRunData(config);

  // Ports first: a run whose coordinator can't listen leaves no directory behind.
  const registry = new Registry();
  const deadlineMs = Math.round(config.cluster.deadlineSeconds * 1000);
  const server = createServer({ deadlineMs });
  const late: {
    handlers?: CoordinatorHandlers;
    logger?: Logger;
    isAlive?: () => boolean;
  } = {};
  const onFault = (call: string, error: unknown): void => {
    late.logger?.error({ err: error, call }, `${call} failed unexpectedly`);
  };
  implementCoordinator(
    server,
    lateHandlers(() => late.handlers),
    { onFault },
  );
  const health = addHealth(server);
  cleanup.push(() => {
    server.forceShutdown();
  });
  const port = await bindServer(server, options.listen, { insecure: options.insecure });
  const address = formatAddress({ ...parseAddress(options.listen), port });
  let readiness: true | string = "the run is not ready yet";
  const ops = await startOpsServer({
    ...parseAddress(options.http),
    registry,
    isHealthy: () => late.isAlive?.() !== false || "the arithmetic thread has ended",
    isReady: () => readiness,
    onFault,
  });
  cleanup.push(() => ops.close());

  const run = await openRun(options, data);
  const { logger, flush } = createLogger({
    process: "coordinator",
    file: `${run.directory.paths.logs}/coordinator.log`,
    console: options.console,
  });
  late.logger = logger;
  cleanup.push(flush);
  const metricsFile = openMetricsFile(run.directory.paths.metrics);
  cleanup.push(
    () => {
      metricsFile.close();
    },
    () => run.ledger.close(),
  );
  for (const note of data.notes) logger.info(note);
  logResume(run, logger);

  const numParameters = data.parameters.size;
  const parameterPool = new BufferPool(numParameters);
  const gradientPool = new BufferPool(numParameters);
  const arithmetic = new ArithmeticThread(
    new URL("./steps/arithmetic-thread.js", import.meta.url),
    { optimizer: config.optimizer, numParameters, state: run.start.optimizer },
    (error) => {
      dispatcher.fail(error);
    },
  );
  late.isAlive = () => arithmetic.isAlive;
  cleanup.push(() => arithmetic.close());
  const workers = new WorkerTable<WorkerSession>({
    incarnation: run.incarnation,
    createToken: () => randomBytes(16).toString("hex"),
  });
  const profiles = new ProfilePolicy({ ...config.numerics, profile: run.profile });
  const events = new EventHub();
  const plan = new TrainingPlan({
    layout: data.train,
    epochs: config.training.epochs,
    maxSteps: config.training.maxSteps,
    evaluateEverySteps: config.evaluation.everySteps,
  });
  const countWorkers = (): ReturnType<MetricsSources["countWorkers"]> => {
    const counts = { joined: 0, active: 0, draining: 0, quarantined: 0 };
    for (const { state } of workers.all()) if (state !== "gone") counts[state] += 1;
    return counts;
  };
  const metrics = createMetrics(registry, {
    countWorkers,
    checkpointAgeSeconds: () => keeper.ageSeconds(),
  });
  const notify = (level: "info" | "warn", text: string): void => {
    logger[level](text);
    events.emit({ kind: "notice", level, text });
  };
  const keeper = new CheckpointKeeper({
    clock,
    store: new RunStore({
      directory: run.directory,
      job: run.job,
      trajectory: trajectoryDigest(config),
      data: data.dataset.digest,
      model: data.model,
      layout: data.parameters,
      keep: config.checkpoints.keep,
      profile: () => profiles.profile,
      syncLedger: () => run.ledger.sync(),
    }),
    onWritten: (step, seconds) => {
      metrics.checkpointWritten(seconds);
      logger.info({ step, seconds }, "checkpoint written");
    },
    onFailed: (step, error) => {
      metrics.checkpoints.inc({ outcome: "failed" });
      notify("warn", `the checkpoint of step ${step} could not be written: ${error.message}`);
    },
  });
  const states = new CarriedStates(run.start.states);
  const dispatcher = new Dispatcher(
    {
      jobId: run.job,
      incarnation: run.incarnation,
      numParameters,
      deadlineMs,
      stateSizeOf: data.stateSizeOf,
      lossWeightTotals: (round) =>
        round.kind === "train"
          ? [data.train.numSamplesAt(round.planned.epochStep)]
          : [data.dataset.splits[round.split].length - 1],
    },
    {
      clock,
      logger,
      metrics,
      workers,
      gradients: gradientPool,
      states,
      notify,
      onTick: () => {
        stalls.check(status().waitingFor, clock.now());
      },
    },
  );
  const stalls = new StallWatch({
    repeatMs: deadlineMs,
    notify: (text) => {
      notify("warn", text);
    },
  });
  const buffer = parameterPool.acquire();
  buffer.set(run.start.parameters);
  const version = new ParameterVersion(
    run.start.step,
    buffer,
    await arithmetic.summarize(buffer),
    (done) => {
      parameterPool.release(done);
    },
  );
  const trainer = new Trainer(
    {
      config,
      plan,
      describeSamples: (epochStep, leaves) => describeSamples(data, epochStep, leaves),
    },
    {
      clock,
      logger,
      metrics,
      dispatcher,
      arithmetic,
      parameters: parameterPool,
      gradients: gradientPool,
      states,
      ledger: run.ledger,
      keeper,
      events,
      metricsFile,
    },
    { version, progress: run.start.progress, position: run.start.position },
  );
  const status = (): StatusReply =>
    buildStatus(
      {
        jobId: run.job,
        incarnation: run.incarnation,
        state: trainer.state,
        step: trainer.step,
        totalSteps: plan.totalSteps,
        epoch: plan.at(Math.max(1, trainer.step)).epoch,
        loss: trainer.loss,
        runDirectory: run.directory.paths.root,
        metricsAddress: ops.address,
        deadlineMs,
        workers: workers.all(),
        round: dispatcher.round,
      },
      clock.now(),
    );
  late.handlers = createHandlers(
    {
      jobId: run.job,
      incarnation: run.incarnation,
      configJson: JSON.stringify(config),
      modelJson: JSON.stringify(data.model),
      dataDigest: data.dataset.digest,
      data: data.encoded,
      deadlineMs,
    },
    {
      clock,
      logger,
      metrics,
      workers,
      profiles,
      dispatcher,
      events,
      status,
      onNewProfile: (profile) => {
        run.ledger.append({ type: "profile", ...profile });
      },
      isEnding: () => trainer.state === "ended" || shutdown.signal.aborted,
    },
  );
  const lag = monitorEventLoopLag(registry, "ostinato_coordinator_event_loop_lag_seconds");
  cleanup.push(() => {
    lag.stop();
  });
  readiness = true;
  health.set("", "SERVING");
  options.onReady?.({
    address,
    metricsAddress: ops.address,
    runDirectory: run.directory.paths.root,
  });

  const stop = async (failed: boolean, reason: string): Promise<void> => {
    readiness = reason;
    health.set("", "NOT_SERVING");
    await stopWorkers({
      sessions: workers.all().flatMap(({ link }) => link ?? []),
      failed,
      reason,
      limitMs: Math.min(deadlineMs, 5000),
      clock,
      closeService: (closed) => {
        server.tryShutdown(closed);
      },
    });
  };
  let result: TrainingResult;
  try {
    result = await trainer.run(shutdown.signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.error({ err: error }, reason);
    const { step } = trainer;
    events.emit({ kind: "ended", outcome: "failed", reason, step, parametersSha256: "" });
    await stop(true, reason);
    throw error;
  }
  const { outcome, step, parametersSha256 } = result;
  const reason = outcome === "completed" ? "the run is complete" : "the run was stopped";
  logger.info({ ...result }, reason);
  events.emit({ kind: "ended", outcome, reason, step, parametersSha256 });
  await stop(false, reason);
  return outcome === "completed" ? EXIT_DONE : shutdown.exitCode();
}

function openRun(options: CoordinatorOptions, data: RunData): Promise<OpenRun> {
  const { config, resume, runDirectory } = options;
  if (resume && runDirectory !== undefined) return resumeRun({ config, data, path: runDirectory });
  return createRun({
    config,
    data,
    path: runDirectory,
    startedAt: systemClock.wallTime(),
    digestOf: (values) => {
      const frames = encodeFrames({ transfer: 0, transferKind: "parameters", values });
      return Buffer.from(digestOfFrames(frames.map((frame) => frame.crc32))).toString("hex");
    },
  });
}

function logResume(run: OpenRun, logger: Logger): void {
  const { resumed } = run;
  if (resumed === undefined) return;
  for (const { name, reason } of resumed.skipped) logger.warn(`${name} was skipped: ${reason}`);
  const torn = resumed.ledger.tornTail?.bytes ?? 0;
  if (torn > 0) logger.warn(`${torn} bytes of a torn ledger line were cut off`);
  logger.info(
    { checkpointStep: run.start.step, ledgerStep: resumed.ledgerStep },
    `resumed from step ${run.start.step}; ${run.ledger.numToReplay} ledger lines to repeat`,
  );
}
