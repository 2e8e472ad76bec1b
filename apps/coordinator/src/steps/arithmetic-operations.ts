/** The coordinator's arithmetic, one operation a message. Runs in the arithmetic thread. */

import { createHash } from "node:crypto";
import { treeAdd } from "@ostinato/kernels";
import {
  createParameterUpdate,
  evaluatedParameters,
  statisticsAfterStep,
  unflattenMoments,
} from "@ostinato/lstm";
import type {
  OptimizerState,
  ParameterUpdateOptions,
  ParameterUpdater,
  StatisticsLayout,
} from "@ostinato/lstm";
import {
  digestOfFrames,
  framesOfVersion,
  parametersSegment,
  SegmentFiles,
  WireError,
} from "@ostinato/proto";
import type { SegmentFolder, VersionValues } from "@ostinato/proto";
import { sharedFloats } from "./buffer-pool.js";

/** Where a frame of a version lies and what its CRC-32 is; the payload stays where it is. */
export interface FrameSummary {
  readonly part: keyof VersionValues;
  readonly firstValue: number;
  readonly numBytes: number;
  readonly crc32: number;
}

export interface VersionSummary {
  readonly frames: readonly FrameSummary[];
  /** SHA-256 over the frames' CRC-32s. */
  readonly digest: Uint8Array;
  /** The segment in shared memory that holds the parameters; 0: none does. */
  readonly segment: number;
  /** Why there is no segment that was asked for. It is told once: none is tried any more. */
  readonly segmentProblem: string | undefined;
}

export interface ApplyRequest extends VersionValues {
  /** The root of the gradient tree; not changed. */
  readonly gradient: Float32Array;
  /** Flat, of every leaf in their order; all of them empty for a model that normalizes nothing by batch. */
  readonly moments: readonly Float64Array[];
  readonly out: Float32Array;
  /** Where `out` is written as well; 0: nowhere. */
  readonly segment: number;
  readonly lossWeight: number;
  readonly learningRate: number;
  /** 1 for the first step of the run. */
  readonly step: number;
  /** See `OptimizerUpdate`: an update, which is not a step where steps were skipped. */
  readonly averagingStartStep: number | undefined;
}

export type ApplyResult = {
  /** Norm of the averaged global gradient, before clipping. */
  readonly gradientNorm: number;
  readonly clipped: boolean;
} & (
  | {
      readonly version: VersionSummary;
      /** The running statistics after the step. */
      readonly statistics: Float64Array;
      readonly problem: undefined;
    }
  | { readonly version: undefined; readonly problem: ApplyProblem }
);

/**
 * What is not finite. After a `gradientNorm` or `statistics` the optimizer is as it was, and the step can
 * be left out; after an `update` it has moved on, and nothing can be taken back.
 */
export interface ApplyProblem {
  readonly kind: "gradientNorm" | "statistics" | "update";
  readonly detail: string;
}

export type ArithmeticRequest =
  | { readonly kind: "add"; readonly into: Float32Array; readonly other: Float32Array }
  | { readonly kind: "apply"; readonly request: ApplyRequest }
  | { readonly kind: "summarize"; readonly version: VersionValues; readonly segment: number }
  | { readonly kind: "average"; readonly out: VersionValues; readonly segment: number }
  | { readonly kind: "sha256"; readonly values: Float32Array }
  /** `into`: slots of an earlier snapshot, which are written over; new ones where absent. */
  | { readonly kind: "snapshot"; readonly into?: OptimizerState["slots"] | undefined };

export interface ArithmeticInit {
  readonly update: ParameterUpdateOptions;
  readonly statistics: StatisticsLayout;
  /** The state of a checkpoint; fresh when absent. */
  readonly state: OptimizerState | undefined;
  /** Where segments are; undefined where no memory is shared. */
  readonly segmentFolder: SegmentFolder | undefined;
}

export class ArithmeticOperations {
  readonly #update: ParameterUpdater;
  readonly #statistics: StatisticsLayout;
  readonly #state: OptimizerState;
  #segments: SegmentFiles | undefined;

  constructor(init: ArithmeticInit) {
    this.#update = createParameterUpdate(init.update);
    this.#statistics = init.statistics;
    this.#state = init.state ?? this.#update.initialState();
    this.#segments = init.segmentFolder && new SegmentFiles(init.segmentFolder);
  }

  run(request: ArithmeticRequest): unknown {
    switch (request.kind) {
      case "add":
        treeAdd(request.into, request.other, request.into);
        return undefined;
      case "apply":
        return this.#apply(request.request);
      case "summarize":
        return this.#summarize(request.version, request.segment);
      case "average":
        return this.#average(request.out, request.segment);
      case "snapshot":
        return this.#snapshot(request.into);
      case "sha256":
        return sha256(request.values);
      default:
        return request satisfies never;
    }
  }

  #apply(request: ApplyRequest): ApplyResult {
    const statistics = this.#statisticsAfter(request);
    const wrong = statistics.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) {
      const detail = `the step makes running statistic ${wrong} ${statistics[wrong]}`;
      return failed({ gradientNorm: NaN, clipped: false }, "statistics", detail);
    }
    const result = this.#update.apply({ ...request, state: this.#state });
    const { gradientNorm, clipped, firstNonFinite: bad } = result;
    if (!result.applied) {
      return failed(result, "gradientNorm", `the gradient norm is ${gradientNorm}`);
    }
    if (bad >= 0) {
      const detail = `the update makes parameter ${bad} ${request.out[bad]}`;
      return failed(result, "update", detail);
    }
    const version = this.#summarize({ parameters: request.out, statistics }, request.segment);
    return { gradientNorm, clipped, version, statistics, problem: undefined };
  }

  /** Undefined, and `out` as it was, where there is no average. */
  #average(out: VersionValues, segment: number): VersionSummary | undefined {
    const average = evaluatedParameters(out.parameters, this.#state);
    if (average === out.parameters) return undefined;
    out.parameters.set(average);
    return this.#summarize(out, segment);
  }

  /** Writes the parameters to their segment, if they have one: a copy for all workers of this machine. */
  #summarize(version: VersionValues, segment: number): VersionSummary {
    const frames = framesOfVersion(version, 0);
    const problem = segment === 0 ? undefined : this.#share(version.parameters, segment);
    return {
      frames: frames.map(({ transferKind, firstValue, payload, crc32 }) => ({
        part: transferKind === "statistics" ? "statistics" : "parameters",
        ...{ firstValue, numBytes: payload.byteLength, crc32 },
      })),
      digest: digestOfFrames(frames.map(({ crc32 }) => crc32)),
      segment: this.#segments === undefined ? 0 : segment,
      segmentProblem: problem,
    };
  }

  /** @returns why it could not be done; then no segment is written any more */
  #share({ buffer, byteOffset, byteLength }: Float32Array, segment: number): string | undefined {
    try {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      this.#segments?.write(parametersSegment(segment), 0, bytes);
      return undefined;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#segments?.close();
      this.#segments = undefined;
      return error.message;
    }
  }

  /** In shared memory: from there to a checkpoint's files it is not copied again. */
  #snapshot(into: OptimizerState["slots"] | undefined): OptimizerState {
    const { stepCount, slots } = this.#state;
    const copied = Object.entries(slots).map(([name, values]) => {
      const copy = into?.[name] ?? sharedFloats(values.length);
      copy.set(values);
      return [name, copy];
    });
    return { stepCount, slots: Object.fromEntries(copied) as OptimizerState["slots"] };
  }

  #statisticsAfter({ statistics, moments }: ApplyRequest): Float64Array {
    const layout = this.#statistics;
    if (layout.size === 0) return statistics;
    return statisticsAfterStep(
      layout,
      statistics,
      moments.map((flat) => unflattenMoments(layout, flat)),
    );
  }
}

function failed(
  { gradientNorm, clipped }: Pick<ApplyResult, "gradientNorm" | "clipped">,
  kind: ApplyProblem["kind"],
  detail: string,
): ApplyResult {
  return { gradientNorm, clipped, version: undefined, problem: { kind, detail } };
}

function sha256({ buffer, byteOffset, byteLength }: Float32Array): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}
