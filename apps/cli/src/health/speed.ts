/** How fast the selected backend is, in about two seconds. */

import { matrixProductWork, memoryCopyWork, selectThreads } from "@ostinato/kernels/tensor";
import type { RepeatedWork } from "@ostinato/kernels/tensor";
import { compileModelSpec, stateShape } from "@ostinato/lstm";
import { createLanguageModel, createTrainer } from "@ostinato/lstm/model";

export interface Speed {
  /** Of what follows unless it says otherwise. */
  readonly threads: 1;
  readonly matrixProductGflops: number;
  /** On all cores; null where there is one, or a backend that computes on one thread. */
  readonly matrixProductGflopsOnAll: number | null;
  /** Characters a second of whole training steps of {@link STEP}. */
  readonly lstmTokensPerSecond: number;
  /** Read and written. */
  readonly memoryBytesPerSecond: number;
}

export interface SpeedOptions {
  readonly isThreaded: boolean;
  readonly cores: number;
  /** Milliseconds. */
  readonly now: () => number;
  /** Of each measurement. */
  readonly seconds: number;
}

export const PRODUCT = { rows: 512, inner: 512, columns: 512 } as const;
/** A character model: one LSTM layer, all of forward, backward, clipping and Adam. */
export const STEP = { vocabularySize: 100, hiddenSize: 128, numSteps: 50, numRows: 50 } as const;
/** Larger than caches are. */
const COPIED_BYTES = 128 << 20;

export async function measureSpeed(options: SpeedOptions): Promise<Speed> {
  const { isThreaded, cores } = options;
  const operations = 2 * PRODUCT.rows * PRODUCT.inner * PRODUCT.columns;
  const gflops = (): number => operations / 1e6 / medianMs(matrixProductWork(PRODUCT), options);
  await selectThreads(1);
  const matrixProductGflops = gflops();
  const tokens = STEP.numSteps * STEP.numRows;
  const lstmTokensPerSecond = (1000 * tokens) / medianMs(stepWork(), options);
  const copyMs = medianMs(memoryCopyWork(COPIED_BYTES), options);
  let matrixProductGflopsOnAll: number | null = null;
  if (isThreaded && cores > 1) {
    await selectThreads(cores);
    matrixProductGflopsOnAll = gflops();
  }
  return {
    ...{ threads: 1, matrixProductGflops, matrixProductGflopsOnAll, lstmTokensPerSecond },
    memoryBytesPerSecond: (1000 * 2 * COPIED_BYTES) / copyMs,
  };
}

function stepWork(): RepeatedWork {
  const { vocabularySize, hiddenSize, numSteps, numRows } = STEP;
  const spec = compileModelSpec({
    kind: "languageModel",
    ...{ vocabularySize, hiddenSize, embeddingSize: hiddenSize, numLayers: 1 },
  });
  const model = createLanguageModel(spec);
  const trainer = createTrainer({
    model,
    seed: 1,
    optimizer: { kind: "adam" },
    learningRate: 1e-3,
  });
  const numPositions = numSteps * numRows;
  const ids = Int32Array.from({ length: numPositions }, (_, place) => (place * 7) % vocabularySize);
  const batch = {
    ...{ numSteps, numRows, inputs: ids, targets: ids },
    leaves: [{ leaf: 0, firstRow: 0, numRows }],
    weights: new Float32Array(numPositions).fill(1),
  };
  const states = [new Float32Array(numRows * stateShape(spec).valuesPerRow)];
  return {
    once: () => void trainer.trainStep({ batch, states }),
    dispose: () => {
      model.dispose();
    },
  };
}

/** Of one repetition; disposes of the work. */
function medianMs(
  work: RepeatedWork,
  { now, seconds }: Pick<SpeedOptions, "now" | "seconds">,
): number {
  try {
    // Memory is allocated and code compiled in the first one.
    work.once();
    const takenMs: number[] = [];
    const startMs = now();
    let beforeMs = startMs;
    do {
      work.once();
      const afterMs = now();
      takenMs.push(afterMs - beforeMs);
      beforeMs = afterMs;
    } while (beforeMs - startMs < 1000 * seconds);
    takenMs.sort((a, b) => a - b);
    return takenMs[takenMs.length >> 1] ?? NaN;
  } finally {
    work.dispose();
  }
}
