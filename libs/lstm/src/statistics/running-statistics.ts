import { decoderStack, encoderStack, stackOutputSize } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import type { ModelSpec } from "../spec/index.js";
import { mergeMomentsInTreeOrder } from "./moments.js";
import type { Moments } from "./moments.js";

/** One batch normalization's place in the flat buffer of running statistics. */
export interface StatisticsEntry {
  /** Such as `layers.0.norm`. */
  readonly name: string;
  /** C: its columns. */
  readonly size: number;
  /** Where its C means start; its C variances follow. */
  readonly offset: number;
}

/** The batch normalizations of a model, in the order of the forward pass. */
export interface StatisticsLayout {
  readonly entries: readonly StatisticsEntry[];
  /** Values of the flat buffer. */
  readonly size: number;
}

export function statisticsLayout(spec: ModelSpec): StatisticsLayout {
  const entries: StatisticsEntry[] = [];
  let offset = 0;
  if (spec.normalization === "batch") {
    for (const { prefix, size } of stacksOf(spec)) {
      for (let layer = 0; layer < spec.numLayers; layer++) {
        entries.push({ name: `${prefix}layers.${layer}.norm`, size, offset });
        offset += 2 * size;
      }
    }
  }
  return { entries, size: offset };
}

/** Of each recurrent stack: what its names start with, and the size of its layers' outputs. */
function stacksOf(spec: ModelSpec): { readonly prefix: string; readonly size: number }[] {
  switch (spec.kind) {
    case "languageModel":
      return [{ prefix: "", size: stackOutputSize(spec, false) }];
    case "sequenceModel":
      return [{ prefix: "", size: stackOutputSize(spec, spec.bidirectional) }];
    case "encoderDecoder":
      return [encoderStack(spec), decoderStack(spec)].map((side) => ({
        prefix: side.shape.prefix,
        size: stackOutputSize(side.spec, side.shape.bidirectional),
      }));
    default:
      return spec satisfies never;
  }
}

/** The running statistics before the first step: means of 0, variances of 1. */
export function initialStatistics(layout: StatisticsLayout): Float64Array {
  const statistics = new Float64Array(layout.size);
  for (const { offset, size } of layout.entries) {
    statistics.fill(1, offset + size, offset + 2 * size);
  }
  return statistics;
}

/** How much of a running statistic a step replaces: PyTorch's default. */
const MOMENTUM = 0.1;

/**
 * The running statistics after a step, as torch.nn.BatchNorm1d updates them: a tenth of the step's mean
 * and unbiased variance, nine tenths of what was. All in float64.
 *
 * @param moments of the whole step, one for each entry of the layout. One without values changes nothing.
 * @throws {LstmError} `invalidStatistics` for moments of another layout
 */
export function updateStatistics(
  layout: StatisticsLayout,
  statistics: Float64Array,
  moments: readonly Moments[],
): Float64Array {
  if (moments.length !== layout.entries.length) {
    throw new LstmError(
      "invalidStatistics",
      `there are moments of ${moments.length} normalizations; the model has ${layout.entries.length}`,
    );
  }
  const next = Float64Array.from(statistics);
  for (const [index, { name, size, offset }] of layout.entries.entries()) {
    const { count, mean, m2 } = moments[index] as Moments;
    if (mean.length !== size) {
      throw new LstmError(
        "invalidStatistics",
        `moments of ${name} have ${mean.length} columns; it has ${size}`,
      );
    }
    if (count === 0) continue;
    for (let c = 0; c < size; c++) {
      const variance = (m2[c] ?? 0) / Math.max(count - 1, 1);
      const [atMean, atVariance] = [offset + c, offset + size + c];
      next[atMean] = (1 - MOMENTUM) * (next[atMean] ?? 0) + MOMENTUM * (mean[c] ?? 0);
      next[atVariance] = (1 - MOMENTUM) * (next[atVariance] ?? 0) + MOMENTUM * variance;
    }
  }
  return next;
}

/**
 * The running statistics after a step: the moments of its leaves merged along the gradient tree, then
 * `updateStatistics`. Whoever computed which leaf: the same bits.
 *
 * @param leaves of all micro-shards in their order; each with one of each entry of the layout.
 * @throws {LstmError} `invalidStatistics` as `mergeMomentsInTreeOrder` and `updateStatistics` do
 */
export function statisticsAfterStep(
  layout: StatisticsLayout,
  statistics: Float64Array,
  leaves: readonly (readonly Moments[])[],
): Float64Array {
  const merged = layout.entries.map((_, k) =>
    mergeMomentsInTreeOrder(leaves.map((leaf) => leaf[k] as Moments)),
  );
  return updateStatistics(layout, statistics, merged);
}
