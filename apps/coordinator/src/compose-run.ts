/** Puts an open run's parts together: nothing here decides anything. */

import { randomBytes } from "node:crypto";
import type { EpochPlace } from "@ostinato/data";
import type { CoordinatorHandlers, Refusal } from "@ostinato/proto";
import { roundedLeaves, trajectoryDigest } from "@ostinato/run";
import type { MetricsFile, RunConfig } from "@ostinato/run";
import type { Clock, Logger } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import type { Registry } from "prom-client";
import { CheckpointEncoder, CheckpointKeeper, RunStore } from "./checkpoints/index.js";
import { ProfilePolicy, WorkerTable } from "./membership/index.js";
import { buildStatus, createMetrics, findWait, StallWatch, StorageHealth } from "./ops/index.js";
import type { AutopsySources } from "./ops/index.js";
import { createHandlers, DataFetches } from "./rpc/index.js";
import type { SharedMemory } from "./segments/index.js";
import type { WorkerSession } from "./sessions/index.js";
import { describeSamples, measuresOf } from "./setup/index.js";
import type { OpenRun, RunData } from "./setup/index.js";
import { ArithmeticThread, BufferPool, updateOptions, Versions } from "./steps/index.js";
import { CarriedStates, Dispatcher, EventHub, Trainer, TrainingPlan } from "./training/index.js";

export interface ComposeOptions {
  readonly config: RunConfig;
  readonly data: RunData;
  readonly run: OpenRun;
  readonly deadlineMs: number;
  readonly metricsAddress: string;
  /** The wish that the run stops. */
  readonly stopping: AbortSignal;
}

export interface ComposeModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly metricsFile: Pick<MetricsFile, "append">;
  /** Told of streams that belong to no worker. */
  readonly onRefused: (refusal: Refusal) => void;
  /** With workers of this machine. */
  readonly memory: SharedMemory | undefined;
}

export interface ComposedRun {
  readonly trainer: Trainer;
  readonly handlers: CoordinatorHandlers;
  readonly events: EventHub;
  /** Tells log and watchers. */
  readonly notify: (level: "info" | "warn", text: string) => void;
  readonly sessions: () => readonly WorkerSession[];
  /** Ends the run with this error, whatever it is at. */
  readonly fail: (error: Error) => void;
  /** False when nothing can be committed any more. */
  readonly isAlive: () => boolean;
  /** Tells at once, and not at the next look, that what was told of is over. */
  readonly lookForStalls: () => void;
  readonly dispose: () => Promise<void>;
}

export async function composeRun(
  options: ComposeOptions,
  modules: ComposeModules,
): Promise<ComposedRun> {
  const { config, data, run, deadlineMs, metricsAddress, stopping } = options;
  const { clock, logger, registry, metricsFile, memory, onRefused } = modules;
  const numParameters = data.parameters.size;
  const parameters = new BufferPool(numParameters);
  const gradients = new BufferPool(numParameters);
  const states = new CarriedStates(run.start.states);
  const events = new EventHub();
  const notify = (level: "info" | "warn", text: string): void => {
    logger[level](text);
    events.emit({ kind: "notice", level, text });
  };
  const workers = new WorkerTable<WorkerSession>({
    incarnation: run.incarnation,
    createToken: () => randomBytes(16).toString("hex"),
  });
  const profiles = new ProfilePolicy({ ...config.numerics, profile: run.profile });
  const plan = new TrainingPlan({
    layout: data.train,
    epochs: config.training.epochs,
    maxSteps: config.training.maxSteps,
    evaluateEverySteps: config.evaluation.everySteps,
  });
  const metrics = createMetrics(registry, {
    run: measuresOf(data),
    countWorkers: () => {
      const counts = { joined: 0, active: 0, draining: 0, quarantined: 0 };
      for (const { state } of workers.all()) if (state !== "gone") counts[state] += 1;
      return counts;
    },
    checkpointAgeSeconds: () => keeper.ageSeconds(),
    minWorkers: config.cluster.minWorkers,
    stalledSeconds: () => {
      const wait = findWait(autopsy(), clock.now());
      return wait?.isStall === true ? (clock.now() - wait.sinceMs) / 1000 : 0;
    },
  });
  const storage = new StorageHealth({ metrics, notify });
  const encoder = new CheckpointEncoder(
    new URL("./checkpoints/checkpoint-thread.js", import.meta.url),
    { model: data.model, layout: data.parameters },
  );
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
      encoder,
      profile: () => profiles.profile,
      syncLedger: () => run.ledger.sync(),
    }),
    onWritten: (step, seconds) => {
      metrics.checkpointWritten(seconds);
      storage.worked("checkpoints");
      logger.info({ step, seconds }, "checkpoint written");
    },
    onFailed: (step, error) => {
      metrics.checkpoints.inc({ outcome: "failed" });
      logger.warn({ step, err: error }, "checkpoint failed");
      const text = `the checkpoint of step ${step} could not be written: ${error.message}`;
      storage.failed("checkpoints", text);
    },
    onRetained: () => {
      storage.worked("retention");
    },
    onRetainFailed: ({ message }) => {
      storage.failed("retention", `old checkpoints could not be removed: ${message}`);
    },
  });
  const arithmetic = new ArithmeticThread(
    new URL("./steps/arithmetic-thread.js", import.meta.url),
    {
      init: {
        update: updateOptions(config, data.parameters),
        statistics: data.statistics,
        state: run.start.optimizer,
        segmentFolder: memory?.folder,
      },
      segmentOf: (buffer) => memory?.segmentOf(buffer) ?? 0,
    },
    (error) => {
      dispatcher.fail(error);
    },
  );
  const describe = (place: EpochPlace, leaves: readonly number[]): string =>
    describeSamples(data, place, leaves);
  const dispatcher = new Dispatcher(
    {
      jobId: run.job,
      incarnation: run.incarnation,
      numParameters,
      deadlineMs,
      minWorkers: config.cluster.minWorkers,
      stateSizeOf: data.stateSizeOf,
      statistics: data.statistics,
      roundedLeaves: roundedLeaves(config),
      numLeaves: config.training.microShards,
      // Of this incarnation: a worker that knew it could be right when it is audited, and then alone.
      auditSecret: randomBytes(16).toString("hex"),
      auditEverySteps: config.cluster.auditEverySteps,
      describeSamples: describe,
      lossWeightTotals: (round) =>
        round.kind === "train"
          ? [data.train.lossWeightAt(round.planned)]
          : [data.evaluationWeight(round.split)],
    },
    {
      clock,
      logger,
      metrics,
      workers,
      gradients,
      arithmetic,
      states,
      notify,
      requireHeld: () => {
        run.claim.requireHeld();
      },
    },
  );
  run.claim.onLost((error) => {
    dispatcher.fail(error);
  });
  const { start } = run;
  const versions = new Versions(start.step, {
    parameters,
    arithmetic,
    onSegmentProblem: (problem) => {
      notify("warn", `${problem}; parameters are sent over the streams from now on`);
    },
  });
  const version = await versions.copy(start.step, start);
  const trainer = new Trainer(
    {
      config,
      plan,
      lossWeightAt: (place) => data.train.lossWeightAt(place),
      describeSamples: describe,
    },
    {
      clock,
      logger,
      metrics,
      dispatcher,
      arithmetic,
      parameters,
      versions,
      gradients,
      states,
      ledger: run.ledger,
      keeper,
      events,
      metricsFile: tolerant(metricsFile, storage),
    },
    {
      version,
      numUpdates: start.optimizer?.stepCount ?? 0,
      decided: start.decided,
      position: start.position,
    },
  );
  const fetches = new DataFetches(clock);
  const autopsy = (): AutopsySources => ({
    deadlineMs,
    workers: workers.all(),
    presence: dispatcher.presence,
    collecting: dispatcher.collecting,
    ownWork: trainer.ownWork,
    fetches: fetches.all(),
  });
  const stalls = new StallWatch(deriveTimeouts(deadlineMs), {
    clock,
    find: () => findWait(autopsy(), clock.now()),
    notify,
  });
  stalls.start();
  const status = (): ReturnType<typeof buildStatus> =>
    buildStatus(
      {
        ...autopsy(),
        jobId: run.job,
        incarnation: run.incarnation,
        state: trainer.state,
        step: trainer.step,
        totalSteps: plan.totalSteps,
        epoch: plan.at(Math.max(1, trainer.step)).epoch,
        loss: trainer.loss,
        runDirectory: run.directory.paths.root,
        metricsAddress,
        numLeaves: config.training.microShards,
        samplesPerSecond: trainer.samplesPerSecond,
        secondsLeft: trainer.secondsLeft,
        checkpointAgeSeconds: keeper.ageSeconds(),
        speedOf: (workerId) => dispatcher.speedOf(workerId),
      },
      clock.now(),
    );
  const handlers = createHandlers(
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
      fetches,
      memory,
      onRefused,
      status,
      onNewProfile: (profile) => {
        run.ledger.append({ type: "profile", ...profile });
      },
      isEnding: () => trainer.state === "ended" || stopping.aborted,
    },
  );
  return {
    trainer,
    handlers,
    events,
    notify,
    sessions: () => workers.all().flatMap(({ link }) => link ?? []),
    fail: (error) => {
      dispatcher.fail(error);
    },
    isAlive: () => arithmetic.isAlive,
    lookForStalls: () => {
      stalls.look();
    },
    dispose: async () => {
      stalls.stop();
      await Promise.all([arithmetic.close(), encoder.close()]);
    },
  };
}

/** That metrics.jsonl can't be written is told, and no reason to stop. */
function tolerant(
  file: ComposeModules["metricsFile"],
  storage: StorageHealth,
): ComposeModules["metricsFile"] {
  return {
    append: (line) => {
      try {
        file.append(line);
        storage.worked("metrics");
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        storage.failed("metrics", `metrics.jsonl can't be written: ${reason}`);
      }
    },
  };
}
