/** The coordinator's arithmetic, one operation a message. Runs in the arithmetic thread. */

import { firstNonFinite, treeAdd } from "@ostinato/kernels";
import { createParameterUpdate } from "@ostinato/lstm";
import type { OptimizerState, ParameterUpdateOptions, ParameterUpdater } from "@ostinato/lstm";
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
  /** The root of the gradient tree; not changed. */
  readonly gradient: Float32Array;
  readonly out: Float32Array;
  readonly lossWeight: number;
  readonly learningRate: number;
  /** 1 for the first step of the run. */
  readonly step: number;
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
  readonly update: ParameterUpdateOptions;
  /** The state of a checkpoint; fresh when absent. */
  readonly state: OptimizerState | undefined;
}

export class ArithmeticOperations {
  readonly #update: ParameterUpdater;
  readonly #state: OptimizerState;

  constructor(init: ArithmeticInit) {
    this.#update = createParameterUpdate(init.update);
    this.#state = init.state ?? this.#update.initialState();
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
    const { gradientNorm, clipped, applied } = this.#update.apply({
      ...request,
      state: this.#state,
    });
    if (!applied) {
      const detail = `the gradient norm is ${gradientNorm}`;
      const problem = { kind: "gradientNorm", detail } as const;
      return { gradientNorm, clipped, version: undefined, problem };
    }
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
