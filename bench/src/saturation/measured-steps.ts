/** What a step costs the real coordinator, with synthetic workers on the real wire. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import type { TensorFrame } from "@ostinato/proto";

import { writeTrainingFiles } from "../cluster/index.js";
import { CoordinatorProcess } from "./coordinator-process.js";
import { Gate } from "./gate.js";
import { PhaseTimes } from "./phase-times.js";
import { SyntheticWorker } from "./synthetic-worker.js";
import type { WorkerGates } from "./synthetic-worker.js";

/** M of the measured runs: a lone worker then uploads one sum, three of them five. */
const MICRO_SHARDS = 8;
/** A step of few values is soon over, and a collection of garbage in one of few steps weighs much. */
const MIN_STEPS = 2;
const MAX_STEPS = 24;
const VALUES_TO_MOVE = 40e6;
/** Replaced when a checkpoint is whole. */
const NEWEST_CHECKPOINT = "checkpoints/latest.json";
const POLL_MS = 20;

/** Of one step, averaged; milliseconds of processor time. */
export interface MeasuredStep {
  readonly numWorkers: number;
  readonly uploads: number;
  /** Of the thread that has the event loop, while gradients come in: gRPC, frames, CRCs, staging. */
  readonly receiveMs: number;
  /** Of the same, otherwise: gRPC, frames, admission, ledger. */
  readonly sendMs: number;
  /** Of the arithmetic thread: sums, norm, optimizer, checksums. */
  readonly arithmeticMs: number;
  /** Of all others, such as the collectors of garbage. */
  readonly otherMs: number;
  /** Of the whole process since it was started: of its first checkpoint, for the most part. */
  readonly peakBytes: number;
}

export interface MeasureOptions {
  /** About: a forecaster with one LSTM layer that has so many. */
  readonly numParameters: number;
  readonly numWorkers: number;
  /** Of a gradient of so many values. */
  readonly frames: readonly TensorFrame[];
  /** For the run; emptied afterwards. */
  readonly folder: string;
}

const INPUT_SIZE = 1;

/** Hidden size and parameters of the forecaster that comes nearest: kernel and bias of one layer, and a head. */
export function forecasterOf(numParameters: number): {
  readonly hiddenSize: number;
  readonly numParameters: number;
} {
  const countOf = (hidden: number): number => (INPUT_SIZE + hidden + 1) * 4 * hidden + hidden + 1;
  const hiddenSize = Math.max(1, Math.round(Math.sqrt(numParameters / 4)) - 1);
  return { hiddenSize, numParameters: countOf(hiddenSize) };
}

/** @throws BenchError `sideFailed` if the coordinator ends, or its threads' times can't be had */
export async function measureStep(options: MeasureOptions): Promise<MeasuredStep> {
  const { folder, numParameters } = options;
  const { hiddenSize } = forecasterOf(numParameters);
  const config = writeTrainingFiles(folder, {
    kind: "trainingStep",
    model: { kind: "forecaster", inputSize: INPUT_SIZE, hiddenSize, numLayers: 1 },
    ...{ numSteps: 2, batchSize: MICRO_SHARDS, microShards: MICRO_SHARDS },
    ...{ optimizer: "adam", learningRate: 1e-6, maxNorm: 1 },
  });
  const runDirectory = join(folder, "run");
  const coordinator = await CoordinatorProcess.start(config, runDirectory);
  const workers: SyntheticWorker[] = [];
  const over = new AbortController();
  try {
    const measured = (async () => {
      await firstCheckpoint(runDirectory, over.signal);
      return gatedSteps(coordinator, workers, options);
    })();
    return await Promise.race([coordinator.ended, measured]);
  } finally {
    over.abort();
    for (const worker of workers) worker.close();
    await coordinator.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param workers takes those that join */
async function gatedSteps(
  coordinator: CoordinatorProcess,
  workers: SyntheticWorker[],
  { numParameters, numWorkers, frames }: MeasureOptions,
): Promise<MeasuredStep> {
  const wantedSteps = Math.round(VALUES_TO_MOVE / numParameters);
  const numSteps = Math.min(MAX_STEPS, Math.max(MIN_STEPS, wantedSteps));
  // Memory is allocated and code compiled in the first ones.
  let warmUpSteps = Math.ceil(numSteps / 4);
  const payloads = frames.map(({ payload }) => payload.byteLength);
  const phases = new PhaseTimes(
    coordinator,
    payloads.reduce((sum, bytes) => sum + bytes, 0),
  );
  return new Promise((resolve, reject) => {
    const gates: WorkerGates = {
      haveLeases: new Gate(numWorkers, () => {
        phases.allHaveLeases();
        return Promise.resolve();
      }),
      framesSent: new Gate(numWorkers, async () => {
        await phases.allAreSent();
        if (phases.numSteps === numSteps) {
          resolve({ numWorkers, ...averages(phases), peakBytes: await coordinator.peakBytes() });
        }
        warmUpSteps -= 1;
        if (warmUpSteps === 0) phases.start();
      }),
    };
    const leased = new Set<string>();
    let newestStep = 0;
    let firstGatedStep = Infinity;
    const join = (name: string): Promise<SyntheticWorker> =>
      SyntheticWorker.join({
        ...{ address: coordinator.address, name, microShards: MICRO_SHARDS, frames },
        onUpload: () => {
          phases.uploads();
        },
        onLease({ step }) {
          newestStep = Math.max(newestStep, step);
          leased.add(name);
          // From the one after the next on each step has a lease for everyone.
          if (leased.size === numWorkers) firstGatedStep = Math.min(firstGatedStep, newestStep + 2);
          return step >= firstGatedStep ? gates : undefined;
        },
        onFailed: reject,
      });
    void (async () => {
      for (let number = 1; number <= numWorkers; number++) {
        workers.push(await join(`synthetic-${number}`));
      }
    })().catch(reject);
  });
}

function averages(phases: PhaseTimes): Omit<MeasuredStep, "numWorkers" | "peakBytes"> {
  const { numSteps, uploads, receiveMs, sendMs, arithmeticMs, otherMs } = phases.sums();
  return {
    uploads: uploads / numSteps,
    receiveMs: receiveMs / numSteps,
    sendMs: sendMs / numSteps,
    arithmeticMs: arithmeticMs / numSteps,
    otherMs: otherMs / numSteps,
  };
}

/** The run writes one before its first step, beside which nothing should be measured. */
async function firstCheckpoint(runDirectory: string, over: AbortSignal): Promise<void> {
  // A coordinator that is gone writes none.
  while (!existsSync(join(runDirectory, NEWEST_CHECKPOINT))) {
    await setTimeout(POLL_MS, null, { signal: over });
  }
}
