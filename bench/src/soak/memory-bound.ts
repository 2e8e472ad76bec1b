import {
  compileModelSpec,
  compileOptimizerSpec,
  createOptimizer,
  parameterLayout,
} from "@ostinato/lstm";

import type { LanguageModelSizes } from "../cases/index.js";
import type { SoakCase } from "./soak-cases.js";

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
const MIB = 1 << 20;

/** What a coordinator has besides: the engine, the program, its data set, what is on its way. */
const FIXED_BYTES = 150 * MIB;

export interface MemoryBound {
  readonly parameterBytes: number;
  readonly optimizerBytes: number;
  /** 4 × (parameters + optimizer state) + (2 × workers + log2 M) × parameters + 150 MiB. */
  readonly coordinatorBytes: number;
}

/** The most resident memory that a coordinator may need at any time. */
export function memoryBound({ measured, numWorkers }: SoakCase): MemoryBound {
  const layout = parameterLayout(compileModelSpec({ ...languageModelOf(measured.model) }));
  const optimizer = createOptimizer(compileOptimizerSpec({ kind: measured.optimizer }), layout);
  const parameterBytes = FLOAT_BYTES * layout.size;
  const optimizerBytes = optimizer.slots.length * parameterBytes;
  const gradients = 2 * numWorkers + Math.log2(measured.microShards);
  return {
    ...{ parameterBytes, optimizerBytes },
    coordinatorBytes:
      4 * (parameterBytes + optimizerBytes) + gradients * parameterBytes + FIXED_BYTES,
  };
}

function languageModelOf(model: SoakCase["measured"]["model"]): LanguageModelSizes {
  if (model.kind === "languageModel") return model;
  throw new RangeError("a soak trains a language model");
}
