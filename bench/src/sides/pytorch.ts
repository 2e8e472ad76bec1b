/** PyTorch, beside which we are measured. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import type { MeasuredCase, TrainingStep } from "../cases/index.js";
import { BenchError } from "./bench-error.js";
import { ProcessSide } from "./process-side.js";

/** Figures of different versions are not comparable. */
export const TORCH_VERSION = "2.15.0";

const peers = fileURLToPath(new URL("../../peers", import.meta.url));

/** A Python that has the pinned PyTorch. */
export interface PyTorch {
  readonly python: string;
  /** @returns PyTorch in one process with that many threads. */
  side(numThreads: number, name?: string): ProcessSide<MeasuredCase>;
  /** @returns DistributedDataParallel on gloo, two processes of one thread each. */
  distributedSide(): ProcessSide<TrainingStep>;
}

/** @throws BenchError `peerMissing`: no such interpreter, no PyTorch in it, or another version */
export function findPyTorch(python: string): PyTorch {
  const ask = "import torch; print(torch.__version__.split('+')[0])";
  const { status, stdout, error } = spawnSync(python, ["-c", ask], { encoding: "utf8" });
  const wanted = `--peer pytorch needs a Python with torch ${TORCH_VERSION} (--python PATH or OSTINATO_PYTHON)`;
  if (error !== undefined) {
    throw new BenchError("peerMissing", `${wanted}; ${python} can't be run: ${error.message}`);
  }
  if (status !== 0) throw new BenchError("peerMissing", `${wanted}; ${python} has no torch`);
  if (stdout.trim() !== TORCH_VERSION) {
    throw new BenchError("peerMissing", `${wanted}; ${python} has ${stdout.trim()}`);
  }
  // `environment` before the libraries are loaded: their thread pools read it then.
  const environment = (numThreads: number): Record<string, string> => ({
    OMP_NUM_THREADS: String(numThreads),
    MKL_NUM_THREADS: String(numThreads),
  });
  return {
    python,
    side: (numThreads, name = "pytorch") =>
      new ProcessSide({
        name,
        program: python,
        arguments: [`${peers}/pytorch.py`, String(numThreads)],
        environment: environment(numThreads),
      }),
    distributedSide: () =>
      new ProcessSide({
        name: "pytorch DDP ×2",
        program: python,
        arguments: [`${peers}/pytorch_distributed.py`],
        environment: environment(1),
      }),
  };
}
