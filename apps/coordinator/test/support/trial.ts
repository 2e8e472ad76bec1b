import { createHash } from "node:crypto";
import { treeAdd } from "@ostinato/kernels";
import type { ParameterUpdateOptions, StatisticsLayout } from "@ostinato/lstm";
import { createLogger, ManualClock } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { WorkerTable } from "../../src/membership/index.js";
import { createMetrics, RatedLines } from "../../src/ops/index.js";
import type { SharedMemory } from "../../src/segments/index.js";
import type { WorkerSession } from "../../src/sessions/index.js";
import {
  ArithmeticOperations,
  BufferPool,
  GradientTree,
  ParameterVersion,
} from "../../src/steps/index.js";
import type { Arithmetic, VersionSummary } from "../../src/steps/index.js";
import {
  CarriedStates,
  Dispatcher,
  EvaluationRound,
  TrainRound,
} from "../../src/training/index.js";
import { FakeWorker, NUM_PARAMETERS, PARAMETERS, SAMPLES_PER_LEAF } from "./fake-worker.js";

export const DEADLINE_MS = 1000;

export const PLAIN_UPDATE: ParameterUpdateOptions = {
  optimizer: { kind: "sgd", weightDecay: 0, groups: [] },
  clipping: { kind: "none" },
  gradientNoise: null,
  layout: PARAMETERS,
  seed: 0,
};

export const NO_STATISTICS: StatisticsLayout = { entries: [], size: 0 };

/** What the arithmetic thread does for the dispatcher. */
const inlineSums: Pick<Arithmetic, "add" | "sha256"> = {
  add: (into, other) => {
    treeAdd(into, other, into);
    return Promise.resolve();
  },
  sha256: (values) => Promise.resolve(createHash("sha256").update(values).digest("hex")),
};

/** A dispatcher with everything around it real, but for wire, threads and time. */
export class Trial {
  readonly numLeaves: number;
  readonly clock = new ManualClock();
  readonly registry = new Registry();
  readonly notices: string[] = [];
  readonly logger = createLogger({ process: "test", console: "none" }).logger;
  readonly gradients = new BufferPool(NUM_PARAMETERS);
  readonly states = new CarriedStates();
  /** As a coordinator has them: of why streams were ended. */
  readonly lines = new RatedLines({ burst: 256, perSecond: 1 }, this.clock.now());
  readonly metrics = createMetrics(this.registry, {
    run: { samples: "positions", loss: "crossEntropy", lossUnit: "nats" },
    countWorkers: () => ({ joined: 0, active: 0, draining: 0, quarantined: 0 }),
    checkpointAgeSeconds: () => undefined,
    minWorkers: 1,
    stalledSeconds: () => 0,
  });
  readonly workers = new WorkerTable<WorkerSession>({ incarnation: 1, createToken: () => "token" });
  readonly dispatcher: Dispatcher;
  readonly abort = new AbortController();
  /** Where it is set, workers that join share it, and versions are in it. */
  memory: SharedMemory | undefined;
  /** Throws once another coordinator has the run. */
  requireHeld: () => void = () => undefined;
  /** Versions whose buffers were given back. */
  readonly released: number[] = [];

  /**
   * @param roundedLeaves of a run whose gradients are bfloat16
   * @param auditEverySteps null: no audits
   */
  constructor(
    numLeaves = 4,
    statistics = NO_STATISTICS,
    roundedLeaves?: number,
    minWorkers = 1,
    auditEverySteps: number | null = null,
  ) {
    this.numLeaves = numLeaves;
    const { clock, logger, metrics, workers, gradients, states } = this;
    this.dispatcher = new Dispatcher(
      {
        jobId: "job",
        incarnation: 1,
        numParameters: NUM_PARAMETERS,
        deadlineMs: DEADLINE_MS,
        minWorkers,
        stateSizeOf: () => 1,
        statistics,
        roundedLeaves,
        numLeaves,
        auditSecret: "1",
        auditEverySteps,
        describeSamples: ({ step }, leaves) => `samples of ${step}/${leaves.join(",")}`,
        lossWeightTotals: () => [numLeaves * SAMPLES_PER_LEAF],
      },
      {
        clock,
        logger,
        metrics,
        workers,
        gradients,
        arithmetic: inlineSums,
        states,
        notify: (_, text) => this.notices.push(text),
        requireHeld: () => {
          this.requireHeld();
        },
      },
    );
  }

  /** @param digest of the worker's numerics profile */
  join(digest = "0"): FakeWorker {
    const { clock, dispatcher, lines, logger, metrics, workers } = this;
    const profile = { backend: "wasm", version: "1", digest };
    const { workerId } = workers.join("name", profile, clock.now());
    const uploads = dispatcher.intake;
    const modules = { hub: dispatcher, uploads, clock, lines, logger, metrics };
    const worker = new FakeWorker(workerId, modules);
    workers.attach(workerId, "token", worker.session);
    if (this.memory !== undefined) worker.session.share(this.memory.join(workerId));
    dispatcher.attached(worker.session);
    return worker;
  }

  /** Moves the time on in steps that no timer of the dispatcher is longer than. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 50) this.clock.advance(Math.min(50, ms - passed));
  }

  version(version: number): ParameterVersion {
    const parameters = new Float32Array(NUM_PARAMETERS).fill(version);
    const operations = new ArithmeticOperations({
      ...{ update: PLAIN_UPDATE, statistics: NO_STATISTICS, state: undefined },
      segmentFolder: this.memory?.folder,
    });
    const values = { parameters, statistics: new Float64Array(0) };
    const summary = operations.run({
      kind: "summarize",
      version: values,
      segment: this.memory?.segmentOf(parameters) ?? 0,
    }) as VersionSummary;
    return new ParameterVersion({ version, step: version, values, summary }, () => {
      this.released.push(version);
    });
  }

  trainRound(step: number): TrainRound {
    return new TrainRound({
      planned: { step, epoch: 0, epochStep: step - 1 },
      version: this.version(step - 1),
      numLeaves: this.numLeaves,
      firstFence: this.dispatcher.nextFence,
      tree: new GradientTree(this.numLeaves, {
        add: inlineSums.add,
        release: (buffer) => {
          this.gradients.release(buffer);
        },
      }),
    });
  }

  evaluationRound(step: number): EvaluationRound {
    return new EvaluationRound({
      split: "validation",
      step,
      version: this.version(step),
      numLeaves: this.numLeaves,
      firstFence: this.dispatcher.nextFence,
    });
  }

  collect(round: TrainRound | EvaluationRound): ReturnType<Dispatcher["collect"]> {
    const collected = this.dispatcher.collect(round, this.abort.signal);
    // A test looks at the rejection when it is ready to.
    collected.catch(() => undefined);
    return collected;
  }

  /** The sample of a counter without labels or with one. */
  async count(name: string, label?: string): Promise<number> {
    const metric = await this.registry.getSingleMetric(`ostinato_coordinator_${name}`)?.get();
    const found = metric?.values.find(
      ({ labels }) => label === undefined || Object.values(labels).includes(label),
    );
    return found?.value ?? 0;
  }
}
