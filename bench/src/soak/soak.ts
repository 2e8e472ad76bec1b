import { join } from "node:path";
import { rmSync } from "node:fs";

import { linearRegression, mean } from "simple-statistics";

import { LocalRun, writeTrainingFiles } from "../cluster/index.js";
import { BenchError } from "../sides/index.js";
import { memoryBound } from "./memory-bound.js";
import type { MemoryBound } from "./memory-bound.js";
import { watchMemory } from "./memory-watch.js";
import type { MemorySample, WatchedProcess } from "./memory-watch.js";
import type { SoakCase } from "./soak-cases.js";

/** How the memory of a process went, after the warm-up. */
export interface ProcessResult {
  readonly name: string;
  readonly peakBytes: number;
  readonly resident: Course;
  readonly heap: Course;
  readonly samples: readonly MemorySample[];
}

export interface Course {
  readonly meanBytes: number;
  /** Slope of the least-squares line over the steps. */
  readonly bytesPerStep: number;
}

export interface SoakResult {
  readonly case: string;
  readonly numWorkers: number;
  readonly numSteps: number;
  readonly warmUpSteps: number;
  readonly bound: MemoryBound;
  readonly processes: readonly ProcessResult[];
}

export interface SoakOptions {
  readonly backend: string;
  /** For data and run directories. */
  readonly folder: string;
}

/** Trains one case with a local cluster, and watches the memory of its processes. */
export async function soak(watched: SoakCase, options: SoakOptions): Promise<SoakResult> {
  const { name, measured, numWorkers, numSteps, warmUpSteps, settings } = watched;
  const { backend, folder } = options;
  const runDirectory = join(folder, "run");
  const config = writeTrainingFiles(folder, measured);
  const run = new LocalRun({ config, runDirectory, numWorkers, backend, settings });
  const workers = Array.from({ length: numWorkers }, (_, i) => `worker-${i + 1}`);
  try {
    const processes = await watchMemory(run, workers, numSteps);
    if (processes.length <= numWorkers) {
      throw new BenchError("sideFailed", `${name}: the run was over before all workers had come`);
    }
    return {
      ...{ case: name, numWorkers, numSteps, warmUpSteps },
      bound: memoryBound(watched),
      processes: processes.map((process) => resultOf(process, warmUpSteps)),
    };
  } finally {
    await run.stop();
    rmSync(runDirectory, { recursive: true, force: true });
  }
}

function resultOf({ name, samples, peakBytes }: WatchedProcess, warmUp: number): ProcessResult {
  const warm = samples.filter(({ step }) => step > warmUp);
  const course = (value: (sample: MemorySample) => number): Course => ({
    meanBytes: mean(warm.map(value)),
    bytesPerStep: linearRegression(warm.map((sample) => [sample.step, value(sample)])).m,
  });
  return {
    ...{ name, peakBytes, samples },
    resident: course(({ residentBytes }) => residentBytes),
    heap: course(({ heapBytes }) => heapBytes),
  };
}
