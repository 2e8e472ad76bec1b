import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialStatistics } from "@ostinato/lstm";
import type { OptimizerState, StatisticsLayout } from "@ostinato/lstm";
import type { WatchEvent } from "@ostinato/proto";
import { LedgerWriter, loadConfig, readLedger } from "@ostinato/run";
import type { LedgerEntry, RunConfig } from "@ostinato/run";
import { CheckpointKeeper } from "../../src/checkpoints/index.js";
import type {
  CheckpointRequest,
  CheckpointStore,
  EndSummary,
  TrainedVersion,
} from "../../src/checkpoints/index.js";
import { RunLedger } from "../../src/ledger/index.js";
import type { ReplayLine } from "../../src/ledger/index.js";
import {
  ArithmeticOperations,
  BufferPool,
  updateOptions,
  Versions,
} from "../../src/steps/index.js";
import type { Arithmetic, VersionSummary } from "../../src/steps/index.js";
import { EventHub, Trainer, TrainingPlan } from "../../src/training/index.js";
import type { TrainingResult } from "../../src/training/index.js";
import { NUM_PARAMETERS, PARAMETERS, SAMPLES_PER_LEAF } from "./fake-worker.js";
import { NO_STATISTICS, Trial } from "./trial.js";

/** Checkpoints as values. */
export class MemoryStore implements CheckpointStore {
  readonly written: CheckpointRequest[] = [];
  end: EndSummary | undefined;
  /** Asked before each write: throws to let it fail, waits to let it take its time. */
  beforeWrite: (step: number) => Promise<void> = () => Promise.resolve();

  async write(request: CheckpointRequest): Promise<void> {
    await this.beforeWrite(request.step);
    this.written.push({ ...request, parameters: Float32Array.from(request.parameters) });
  }

  retain(): Promise<void> {
    return Promise.resolve();
  }

  load(step: number): Promise<TrainedVersion> {
    const found = this.written.findLast((request) => request.step === step);
    if (found === undefined) throw new Error(`no checkpoint of step ${step}`);
    return Promise.resolve(found);
  }

  writeEnd(end: EndSummary): Promise<void> {
    this.end = end;
    return Promise.resolve();
  }
}

/** As a checkpoint's is when it was read: the slots are updated in place. */
function ownState({ stepCount, slots }: OptimizerState): OptimizerState {
  const copied = Object.entries(slots).map(([name, values]) => [name, values.slice()]);
  return { stepCount, slots: Object.fromEntries(copied) as OptimizerState["slots"] };
}

function inlineArithmetic(optimizer: ArithmeticOperations): Arithmetic {
  const run = <T>(request: Parameters<ArithmeticOperations["run"]>[0]): Promise<T> =>
    Promise.resolve().then(() => optimizer.run(request) as T);
  return {
    add: (into, other) => run({ kind: "add", into, other }),
    apply: (request) => run({ kind: "apply", request: { ...request, segment: 0 } }),
    summarize: (version) => run({ kind: "summarize", version, segment: 0 }),
    average: (out) => run({ kind: "average", out, segment: 0 }),
    sha256: (values) => run({ kind: "sha256", values }),
    snapshot: () => run({ kind: "snapshot" }),
    // The store keeps what it was given.
    release: () => undefined,
    close: () => Promise.resolve(),
  };
}

export interface TrialRunOptions {
  readonly stepsPerEpoch?: number;
  readonly epochs?: number;
  /** Of a model that normalizes by batch; none unless given. */
  readonly statistics?: StatisticsLayout;
  /** Of the data; as much as the workers say unless given. */
  readonly lossWeightAt?: (planned: { readonly step: number }) => number;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** The newest checkpoint and what the ledger had beyond it. */
  readonly resumeFrom?: CheckpointRequest;
  readonly replay?: readonly ReplayLine[];
}

/** A whole run but for processes: trainer, dispatcher, ledger on disk, checkpoints in memory. */
export class TrialRun {
  readonly trial: Trial;
  readonly store = new MemoryStore();
  readonly events: WatchEvent[] = [];
  readonly metricsLines: Readonly<Record<string, unknown>>[] = [];
  readonly trainer: Trainer;
  readonly plan: TrainingPlan;
  readonly #folder: string;

  static async create(options: TrialRunOptions = {}): Promise<TrialRun> {
    const folder = mkdtempSync(join(tmpdir(), "ostinato-trainer-"));
    const file = join(folder, "run.yaml");
    writeFileSync(
      file,
      "data: { files: text.txt }\ntraining: { microShards: 4, batchSize: 4 }\n" +
        "evaluation: { everySteps: 2, batchSize: 4 }\n" +
        "optimizer: { kind: sgd, learningRate: 0.5, clipping: { kind: none } }\n",
    );
    const { settings = {} } = options;
    const overrides = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    return new TrialRun(folder, await loadConfig({ file, overrides }), options);
  }

  private constructor(folder: string, config: RunConfig, options: TrialRunOptions) {
    const { stepsPerEpoch = 3, epochs = 2, resumeFrom, replay = [] } = options;
    const { statistics = NO_STATISTICS } = options;
    this.trial = new Trial(4, statistics);
    this.#folder = folder;
    if (resumeFrom !== undefined) this.store.written.push(resumeFrom);
    const { trial } = this;
    const { clock, logger, metrics, dispatcher, gradients, states } = trial;
    this.plan = new TrainingPlan({
      layout: { stepsPerEpoch },
      epochs,
      maxSteps: null,
      evaluateEverySteps: config.evaluation.everySteps,
    });
    const arithmetic = new ArithmeticOperations({
      update: updateOptions(config, PARAMETERS),
      statistics,
      state: resumeFrom && ownState(resumeFrom.optimizer),
      segmentFolder: undefined,
    });
    const hub = new EventHub();
    const emit = hub.emit.bind(hub);
    hub.emit = (event) => {
      this.events.push(event);
      emit(event);
    };
    const parameters = new BufferPool(NUM_PARAMETERS);
    const first = parameters.acquire();
    first.set(resumeFrom?.parameters ?? [1, 2, 3]);
    if (resumeFrom !== undefined) states.replace(resumeFrom.states, new Map());
    const values = {
      parameters: first,
      statistics: resumeFrom?.statistics ?? initialStatistics(statistics),
    };
    const summary = arithmetic.run({
      kind: "summarize",
      version: values,
      segment: 0,
    }) as VersionSummary;
    const step = resumeFrom?.step ?? 0;
    const inline = inlineArithmetic(arithmetic);
    const versions = new Versions(step, {
      parameters,
      arithmetic: inline,
      onSegmentProblem: () => undefined,
    });
    const version = versions.take(step, values, summary);
    this.trainer = new Trainer(
      {
        config,
        plan: this.plan,
        lossWeightAt: options.lossWeightAt ?? (() => 4 * SAMPLES_PER_LEAF),
        describeSamples: ({ epochStep }, leaves) => `samples of ${epochStep}/${leaves.join(",")}`,
      },
      {
        clock,
        logger,
        metrics,
        dispatcher,
        arithmetic: inline,
        parameters,
        versions,
        gradients,
        states,
        ledger: new RunLedger(LedgerWriter.create(this.ledgerPath), replay),
        keeper: new CheckpointKeeper({
          clock,
          store: this.store,
          onWritten: () => undefined,
          onRetained: () => undefined,
          onRetainFailed: () => undefined,
          onFailed: (step, error) => {
            hub.emit({ kind: "notice", level: "warn", text: `${step}: ${error.message}` });
          },
        }),
        events: hub,
        metricsFile: { append: (line) => this.metricsLines.push(line) },
      },
      {
        version,
        numUpdates: resumeFrom?.optimizer.stepCount ?? 0,
        decided: resumeFrom?.progress,
        position: { head: "0".repeat(64), offset: 0 },
      },
    );
  }

  get ledgerPath(): string {
    return join(this.#folder, "ledger.jsonl");
  }

  run(): Promise<TrainingResult> {
    const result = this.trainer.run(this.trial.abort.signal);
    result.catch(() => undefined);
    return result;
  }

  async ledger(): Promise<readonly LedgerEntry[]> {
    return (await readLedger(this.ledgerPath)).records;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
