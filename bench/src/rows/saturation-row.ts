/** Where one coordinator saturates, and what would help. */
import { join } from "node:path";

import { sideResult } from "../interleaving/index.js";
import {
  costsOf,
  forecasterOf,
  LEVERS,
  measureStep,
  scalingOf,
  syntheticFrames,
  workersAt,
} from "../saturation/index.js";
import type {
  CoordinatorCosts,
  MeasuredStep,
  ScalingPoint,
  Scenario,
} from "../saturation/index.js";
import { BenchError } from "../sides/index.js";
import type { RowContext } from "./context.js";

const NUM_PARAMETERS = [1e6, 10e6, 50e6];
const QUICK_NUM_PARAMETERS = [2e4];
const GIGABITS = [10, 25];
const NUM_WORKERS = [1, 2, 4, 8, 16, 32, 64];
const MICRO_SHARDS = 64;
/** Positions of one micro-shard: the global batch has 64 times as many. */
const TOKENS_A_LEAF = 350;
/** Of an LSTM, forward and backward: two operations a parameter, three times. */
const OPERATIONS_A_TOKEN = 6;
/** Of one worker, 10⁹ operations a second: one core of the machines that decision 16 measured. */
const WORKER_GFLOPS = 80;
/** Looked at closely in the table of the levers. */
const SHOWN_WORKERS = 16;

/** Measured once: its steps take seconds. */
const LARGE = 20e6;
const MOST_ROUNDS = 3;
/** Few and many: what lies between them is one more of each. */
const MEASURED_WORKERS = [1, 3];

type Cluster = Omit<Scenario, "numWorkers">;

export async function saturationRow(context: RowContext): Promise<void> {
  const { isQuick, isWanted, onNote } = context;
  const clusters: Cluster[] = [];
  for (const asked of isQuick ? QUICK_NUM_PARAMETERS : NUM_PARAMETERS) {
    const { numParameters } = forecasterOf(asked);
    const name = sizeName(asked);
    if (!isWanted(name)) continue;
    try {
      const costs = await measuredCosts(name, numParameters, context);
      const leafMs = (OPERATIONS_A_TOKEN * numParameters * TOKENS_A_LEAF) / (WORKER_GFLOPS * 1e6);
      for (const gigabits of GIGABITS) {
        clusters.push({
          ...{ numParameters: asked, microShards: MICRO_SHARDS, leafMs, gigabits, costs },
          ...{ uploadFraction: 1, isLocal: false, uploadsLeaves: false },
        });
      }
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      onNote(`saturation, ${name}: ${error.message}`);
    }
  }
  if (clusters.length === 0) return;
  context.onTable(scalingTable(clusters));
  context.onTable(leverTable(clusters));
}

/** Tells what the real coordinator took, and what that makes of its parts. */
async function measuredCosts(
  name: string,
  numParameters: number,
  { folder, rounds, onResult }: RowContext,
): Promise<CoordinatorCosts> {
  const frames = syntheticFrames(numParameters);
  const numRounds = numParameters > LARGE ? 1 : Math.min(rounds.rounds, MOST_ROUNDS);
  const measured = MEASURED_WORKERS.map((numWorkers) => ({
    numWorkers,
    steps: [] as MeasuredStep[],
  }));
  for (let round = 0; round < numRounds; round++) {
    for (const { numWorkers, steps } of measured) {
      const runFolder = join(folder, `saturation-${numParameters}`);
      steps.push(await measureStep({ numParameters, numWorkers, frames, folder: runFolder }));
    }
  }
  const [few = [], many = []] = measured.map(({ steps }) => steps);
  const costs = costsOf(least(few), least(many));
  onResult({
    ...{ row: "saturation", case: `${name}, the coordinator's main thread`, barMs: null },
    sizes: { numParameters, costs },
    ...{ work: null, ratios: [] },
    sides: measured.map(({ numWorkers, steps }) =>
      sideResult(
        numWorkers === 1 ? "1 worker" : `${numWorkers} workers`,
        steps.map((details) => ({
          ms: details.sendMs + details.receiveMs,
          details: { ...details },
        })),
      ),
    ),
  });
  return costs;
}

/** What else the machine does makes processor time longer, by its caches, and never shorter. */
function least(steps: readonly MeasuredStep[]): MeasuredStep {
  const of = (name: keyof MeasuredStep): number => Math.min(...steps.map((step) => step[name]));
  return {
    ...{ numWorkers: of("numWorkers"), uploads: of("uploads"), sendMs: of("sendMs") },
    ...{ receiveMs: of("receiveMs"), arithmeticMs: of("arithmeticMs") },
    ...{ otherMs: of("otherMs"), peakBytes: of("peakBytes") },
  };
}

function scalingTable(clusters: readonly Cluster[]): Parameters<RowContext["onTable"]>[0] {
  return {
    row: "saturation",
    title:
      "simulated: milliseconds a step, and the workers' efficiency, by number of workers " +
      `(${MICRO_SHARDS * TOKENS_A_LEAF} tokens a step, workers of ${WORKER_GFLOPS} GFLOP/s)`,
    columns: [
      "parameters",
      "Gb/s",
      ...NUM_WORKERS.map((number) => `×${number}`),
      "0.8 at",
      "0.5 at",
    ],
    rows: clusters.map((cluster) => {
      const points = scalingOf(cluster, NUM_WORKERS);
      return [
        sizeName(cluster.numParameters),
        String(cluster.gigabits),
        ...points.map(pointText),
        ...[0.8, 0.5].map((efficiency) => workersText(points, efficiency)),
      ];
    }),
  };
}

function leverTable(clusters: readonly Cluster[]): Parameters<RowContext["onTable"]>[0] {
  return {
    row: "saturation",
    title:
      "simulated: workers at which the efficiency falls below 0.8 and 0.5 with each lever, and " +
      `what ${SHOWN_WORKERS} workers wait for`,
    columns: ["parameters", "Gb/s", "lever", "0.8 at", "0.5 at", `×${SHOWN_WORKERS}`, "busiest"],
    rows: clusters.flatMap((cluster) =>
      LEVERS.map(({ name, pull }) => {
        const points = scalingOf(pull(cluster), NUM_WORKERS);
        const shown = points.find(({ numWorkers }) => numWorkers === SHOWN_WORKERS);
        return [
          sizeName(cluster.numParameters),
          String(cluster.gigabits),
          name,
          ...[0.8, 0.5].map((efficiency) => workersText(points, efficiency)),
          shown === undefined ? "" : pointText(shown),
          shown?.bottleneck ?? "",
        ];
      }),
    ),
  };
}

const pointText = ({ stepMs, efficiency }: ScalingPoint): string =>
  `${stepMs >= 10 ? stepMs.toFixed(0) : stepMs.toPrecision(2)} (${efficiency.toFixed(2)})`;

function workersText(points: readonly ScalingPoint[], efficiency: number): string {
  const workers = workersAt(points, efficiency);
  if (workers === undefined) return `> ${NUM_WORKERS.at(-1) ?? 0}`;
  return workers >= 10 ? workers.toFixed(0) : workers.toFixed(1);
}

const sizeName = (numParameters: number): string =>
  numParameters >= 1e6 ? `${numParameters / 1e6} M` : `${numParameters / 1e3} k`;
