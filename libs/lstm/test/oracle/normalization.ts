import { standardized } from "./tensors.js";
import type { OracleTensors, Sequence, Vector } from "./tensors.js";

export interface OracleMoments {
  readonly count: number;
  readonly mean: Vector;
  readonly m2: Vector;
}

export interface MeanAndVariance {
  readonly mean: Vector;
  readonly variance: Vector;
}

/** What evaluation normalizes by. */
export type RunningStatistics = (prefix: string) => MeanAndVariance;

/** Ba et al. (2016), over the units of each position. */
export function layerNormalized(
  tensors: OracleTensors,
  prefix: string,
  inputs: Sequence,
): Sequence {
  const [gain, bias] = [tensors.of(`${prefix}.gain`), tensors.of(`${prefix}.bias`)];
  return inputs.map((steps) =>
    steps.map((x) => standardized(x).map((value, j) => value * gain[j]! + bias[j]!)),
  );
}

/**
 * Ioffe and Szegedy (2015), of each unit over the leaf's rows and their time steps.
 *
 * @param countedSteps of each row, that the moments are of; all where left out.
 */
export function batchNormalized(
  tensors: OracleTensors,
  prefix: string,
  inputs: Sequence,
  fixed: MeanAndVariance | undefined,
  countedSteps?: Vector,
): { readonly outputs: Sequence; readonly moments: OracleMoments } {
  const [gain, bias] = [tensors.of(`${prefix}.gain`), tensors.of(`${prefix}.bias`)];
  const positions = inputs.flatMap((steps, row) => steps.slice(0, countedSteps?.[row]));
  const count = positions.length;
  const units = Array.from(gain.keys());
  const sum = (term: (x: Vector) => number): number =>
    positions.reduce((total, x) => total + term(x), 0);
  const mean = units.map((j) => sum((x) => x[j]!) / Math.max(count, 1));
  const m2 = units.map((j) => sum((x) => (x[j]! - mean[j]!) ** 2));
  const used = fixed ?? { mean, variance: m2.map((value) => (count === 0 ? 1 : value / count)) };
  const outputs = inputs.map((steps) =>
    steps.map((x) =>
      x.map((value, j) => {
        const normalized = (value - used.mean[j]!) / Math.sqrt(used.variance[j]! + 1e-5);
        return normalized * gain[j]! + bias[j]!;
      }),
    ),
  );
  return { outputs, moments: { count, mean, m2 } };
}
