/** The coordinator's arithmetic, one operation a message. Runs in the arithmetic thread. */

import { firstNonFinite, sumOfSquares, treeAdd } from "@ostinato/kernels";
import { createOptimizer, globalNormClip } from "@ostinato/lstm";
import type { Optimizer, OptimizerSpec, OptimizerState } from "@ostinato/lstm";
import { digestOfFrames, encodeFrames } from "@ostinato/proto";

/** Where a frame of a parameter version lies and what its CRC-32 is; the payload stays shared. */
export interface FrameSummary {
  readonly firstValue: number;
  readonly numValues: number;
  readonly crc32: number;
}

export interface VersionSummary {
  readonly frames: readonly FrameSummary[];
  /** SHA-256 over the frames' CRC-32s. */
  readonly digest: Uint8Array;
}

export interface ApplyRequest {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly out: Float32Array;
  readonly lossWeight: number;
  readonly maxNorm: number | undefined;
  readonly learningRate: number;
}

export type ApplyResult = {
  /** Norm of the averaged global gradient, before clipping. */
  readonly gradientNorm: number;
  readonly clipped: boolean;
} & (
  | { readonly version: VersionSummary; readonly problem: undefined }
  | {
      readonly version: undefined;
      /**
       * What is not finite. After a `gradientNorm` the optimizer is as it was, and the step can be
       * left out; after an `update` it has moved on, and nothing can be taken back.
       */
      readonly problem: { readonly kind: "gradientNorm" | "update"; readonly detail: string };
    }
);

export type ArithmeticRequest =
  | { readonly kind: "add"; readonly into: Float32Array; readonly other: Float32Array }
  | { readonly kind: "apply"; readonly request: ApplyRequest }
  | { readonly kind: "summarize"; readonly parameters: Float32Array }
  | { readonly kind: "snapshot" };

export interface ArithmeticInit {
  readonly optimizer: OptimizerSpec;
  readonly numParameters: number;
  /** The state of a checkpoint; fresh when absent. */
  readonly state: OptimizerState | undefined;
}

export class ArithmeticOperations {
  readonly #optimizer: Optimizer;
  readonly #state: OptimizerState;

  constructor(init: ArithmeticInit) {
    this.#optimizer = createOptimizer(init.optimizer);
    this.#state = init.state ?? this.#optimizer.initialState(init.numParameters);
  }

  run(request: ArithmeticRequest): unknown {
    switch (request.kind) {
      case "add":
        treeAdd(request.into, request.other, request.into);
        return undefined;
      case "apply":
        return this.#apply(request.request);
      case "summarize":
        return summarizeVersion(request.parameters);
      case "snapshot":
        return structuredClone(this.#state);
      default:
        return request satisfies never;
    }
  }

  #apply(request: ApplyRequest): ApplyResult {
    const clip = globalNormClip({
      sumOfSquares: sumOfSquares(request.gradient),
      lossWeight: request.lossWeight,
      maxNorm: request.maxNorm,
    });
    if (!Number.isFinite(clip.norm)) {
      const problem = {
        kind: "gradientNorm",
        detail: `the gradient norm is ${clip.norm}`,
      } as const;
      return { gradientNorm: clip.norm, clipped: false, version: undefined, problem };
    }
    this.#optimizer.update({
      parameters: request.parameters,
      gradient: request.gradient,
      state: this.#state,
      learningRate: request.learningRate,
      gradientScale: clip.scale,
      out: request.out,
    });
    const { norm: gradientNorm, clipped } = clip;
    const bad = firstNonFinite(request.out);
    return bad < 0
      ? { gradientNorm, clipped, version: summarizeVersion(request.out), problem: undefined }
      : {
          gradientNorm,
          clipped,
          version: undefined,
          problem: {
            kind: "update",
            detail: `the update makes parameter ${bad} ${request.out[bad]}`,
          },
        };
  }
}

function summarizeVersion(parameters: Float32Array): VersionSummary {
  const frames = encodeFrames({ transfer: 0, transferKind: "parameters", values: parameters });
  return {
    frames: frames.map((frame) => ({
      firstValue: frame.firstValue,
      numValues: frame.payload.byteLength / Float32Array.BYTES_PER_ELEMENT,
      crc32: frame.crc32,
    })),
    digest: digestOfFrames(frames.map((frame) => frame.crc32)),
  };
}
