import { tensor3d } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { Moments } from "../../../statistics/index.js";
import type { BatchLeaf } from "../../batch-leaves.js";
import { nodeSums } from "../../pass/index.js";
import type { Pass } from "../../pass/index.js";
import type { Forwarded } from "../forwarded.js";

/** Added to a variance before its root: PyTorch's default. */
const EPSILON = 1e-5;

/** How many steps the rows have. */
export interface RowSteps {
  /** [B]: steps of each row; undefined when all rows have all steps. */
  readonly lengths: Int32Array | undefined;
  /**
   * [B]: steps whose values mean and variance are of; those after them are normalized all the same, and
   * have no part in it. Undefined: all of a row's.
   */
  readonly countedSteps?: Int32Array | undefined;
}

/**
 * Batch normalization (Ioffe and Szegedy, 2015) of each unit over the rows and time steps of a
 * micro-shard, sequence-wise (Laurent et al., 2016); padding counts for nothing. What a unit is
 * normalized by depends on how many micro-shards a batch has, never on the workers. In evaluation it is
 * the running mean and variance.
 *
 * The sums run over plain arrays in float64, in the order (time, row). Where no position of a micro-shard
 * counts, there is no mean and no variance, and 0 and 1 take their place.
 *
 * @param prefix of the parameters' names, such as `layers.0.norm`.
 */
export function batchNormalization(
  pass: Pass,
  inputs: Tensor3D,
  steps: RowSteps,
  prefix: string,
): Forwarded {
  const gain = pass.parameters.vector(`${prefix}.gain`).dataSync<"float32">();
  const bias = pass.parameters.vector(`${prefix}.bias`).dataSync<"float32">();
  const values = inputs.dataSync<"float32">();
  const walk = walker(inputs.shape, steps.lengths);
  const counted = walker(inputs.shape, steps.countedSteps ?? steps.lengths);
  const { numColumns } = walk;
  const outputs = new Float32Array(values.length);
  const normalized = new Float32Array(values.length);
  const moments = pass.leaves.map((leaf) =>
    pass.training === undefined
      ? runningMoments(pass, prefix)
      : momentsOf(values, counted.positions(leaf), numColumns),
  );
  const scales = moments.map(scaleOf);
  for (const [index, leaf] of pass.leaves.entries()) {
    const { mean } = moments[index]!;
    const scale = scales[index]!;
    for (const start of walk.positions(leaf)) {
      for (let c = 0; c < numColumns; c++) {
        const n = (values[start + c]! - mean[c]!) * scale[c]!;
        normalized[start + c] = n;
        outputs[start + c] = n * gain[c]! + bias[c]!;
      }
    }
  }
  if (pass.training !== undefined) pass.onStatistics(prefix, moments);
  return {
    outputs: tensor3d(outputs, inputs.shape),
    backward(gradient) {
      const ofOutputs = gradient.dataSync<"float32">();
      const ofInputs = new Float32Array(values.length);
      const gains: Float32Array[] = [];
      const biases: Float32Array[] = [];
      for (const [index, leaf] of pass.leaves.entries()) {
        pass.progress.alive();
        const sums = gradientSums(ofOutputs, normalized, walk.positions(leaf), numColumns);
        gains.push(Float32Array.from(sums.gain));
        biases.push(Float32Array.from(sums.bias));
        const scale = scales[index]!;
        const { count } = moments[index]!;
        for (const start of walk.positions(leaf)) {
          for (let c = 0; c < numColumns; c++) {
            ofInputs[start + c] = gain[c]! * scale[c]! * ofOutputs[start + c]!;
          }
        }
        for (const start of counted.positions(leaf)) {
          for (let c = 0; c < numColumns; c++) {
            const throughMoments = (sums.bias[c]! + normalized[start + c]! * sums.gain[c]!) / count;
            ofInputs[start + c] = gain[c]! * scale[c]! * (ofOutputs[start + c]! - throughMoments);
          }
        }
      }
      pass.onGradient(`${prefix}.gain`, nodeSums(pass, gains));
      pass.onGradient(`${prefix}.bias`, nodeSums(pass, biases));
      return tensor3d(ofInputs, inputs.shape);
    },
  };
}

interface Walker {
  readonly numColumns: number;
  /** Where each of a leaf's positions starts, in the order (time, row), without the padding. */
  readonly positions: (leaf: BatchLeaf) => Iterable<number>;
}

function walker(
  [numSteps, numRows, numColumns]: readonly [number, number, number],
  lengths: Int32Array | undefined,
): Walker {
  return {
    numColumns,
    *positions({ firstRow, numRows: rowsOfLeaf }) {
      for (let t = 0; t < numSteps; t++) {
        for (let row = firstRow; row < firstRow + rowsOfLeaf; row++) {
          if (lengths === undefined || t < lengths[row]!) yield (t * numRows + row) * numColumns;
        }
      }
    },
  };
}

/** In two runs, mean first: one run would lose the variance of values far from zero. */
function momentsOf(values: Float32Array, positions: Iterable<number>, numColumns: number): Moments {
  const starts = [...positions];
  const count = starts.length;
  const mean = new Float64Array(numColumns);
  const m2 = new Float64Array(numColumns);
  for (const start of starts) {
    for (let c = 0; c < numColumns; c++) mean[c] = mean[c]! + values[start + c]!;
  }
  if (count > 0) for (let c = 0; c < numColumns; c++) mean[c] = mean[c]! / count;
  for (const start of starts) {
    for (let c = 0; c < numColumns; c++) {
      const distance = values[start + c]! - mean[c]!;
      m2[c] = m2[c]! + distance * distance;
    }
  }
  return { count, mean, m2 };
}

/** As moments of one value, so that m2 is the variance. */
function runningMoments(pass: Pass, prefix: string): Moments {
  const { mean, variance } = pass.runningStatistics(prefix);
  return { count: 1, mean, m2: variance };
}

/** 1 / √(variance + ε), of the biased variance. */
function scaleOf({ count, m2 }: Moments): Float64Array {
  return m2.map((sum) => 1 / Math.sqrt((count === 0 ? 1 : sum / count) + EPSILON));
}

/** Sums over a leaf's positions: of the gradient, and of the gradient times the normalized values. */
function gradientSums(
  gradient: Float32Array,
  normalized: Float32Array,
  positions: Iterable<number>,
  numColumns: number,
): { readonly gain: Float64Array; readonly bias: Float64Array } {
  const gain = new Float64Array(numColumns);
  const bias = new Float64Array(numColumns);
  for (const start of positions) {
    for (let c = 0; c < numColumns; c++) {
      const g = gradient[start + c]!;
      gain[c] = gain[c]! + g * normalized[start + c]!;
      bias[c] = bias[c]! + g;
    }
  }
  return { gain, bias };
}
