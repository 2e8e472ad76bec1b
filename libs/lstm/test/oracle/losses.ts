/** The formulas of docs/training/losses.md in float64, at one position or for one row. */
import type { LossSpec } from "../../src/index.js";
import { allCtcPaths, labelProbabilities } from "../support/ctc-paths.js";
import type { Vector } from "./tensors.js";

export interface OracleLoss {
  readonly loss: number;
  /** What it adds to the denominator, before its weight. */
  readonly share: number;
}

/**
 * @param outputs of the head at the position.
 * @param targets the position's values, or its class.
 * @param isTraining whether labels are smoothed.
 */
export function lossAt(
  spec: LossSpec,
  outputs: Vector,
  targets: Vector,
  isTraining: boolean,
): OracleLoss {
  if (spec.kind === "crossEntropy") return crossEntropy(spec, outputs, targets[0]!, isTraining);
  const each = outputs.length / targets.length;
  const losses = targets.map((t, k) => valueLoss(spec, t, outputs.slice(k * each, (k + 1) * each)));
  return { loss: mean(losses), share: 1 };
}

const mean = (values: Vector): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const softplus = (x: number): number => Math.log(1 + Math.exp(x));

function valueLoss(spec: LossSpec, t: number, o: Vector): number {
  const error = Math.abs(o[0]! - t);
  switch (spec.kind) {
    case "meanSquared":
      return error ** 2;
    case "meanAbsolute":
      return error;
    case "huber":
      return error < spec.delta ? error ** 2 / 2 : spec.delta * (error - spec.delta / 2);
    case "quantile":
      return mean(spec.quantiles.map((q, i) => Math.max(q * (t - o[i]!), (q - 1) * (t - o[i]!))));
    case "gaussian": {
      const deviation = softplus(o[1]!) + spec.epsilon;
      const z = (t - o[0]!) / deviation;
      return -Math.log(Math.exp((-z * z) / 2) / (deviation * Math.sqrt(2 * Math.PI)));
    }
    case "studentT": {
      const [scale, freedom] = [softplus(o[1]!) + spec.epsilon, 2 + softplus(o[2]!)];
      const z = (t - o[0]!) / scale;
      const normalizer = logGamma((freedom + 1) / 2) - logGamma(freedom / 2);
      const tail = ((freedom + 1) / 2) * Math.log(1 + (z * z) / freedom);
      return tail + Math.log(scale) + Math.log(freedom * Math.PI) / 2 - normalizer;
    }
    case "binaryCrossEntropy": {
      const sigmoid = 1 / (1 + Math.exp(-o[0]!));
      return -(spec.positiveWeight * t * Math.log(sigmoid) + (1 - t) * Math.log(1 - sigmoid));
    }
    case "crossEntropy":
    case "ctc":
      throw new RangeError(`${spec.kind} has no target values`);
    default:
      return spec satisfies never;
  }
}

/** Stirling's series twenty steps further up, where three terms are exact enough. */
function logGamma(x: number): number {
  const z = x + 20;
  let result = (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2;
  result += 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5);
  for (let k = 0; k < 20; k++) result -= Math.log(x + k);
  return result;
}

function crossEntropy(
  spec: Extract<LossSpec, { kind: "crossEntropy" }>,
  logits: Vector,
  target: number,
  isTraining: boolean,
): OracleLoss {
  if (target === spec.ignoredIndex) return { loss: 0, share: 0 };
  const weightOf = (c: number): number => spec.classWeights[c] ?? 1;
  const smoothing = isTraining ? spec.labelSmoothing : 0;
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const nll = logits.map((logit) => total - logit);
  const smoothed = mean(nll.map((value, c) => weightOf(c) * value));
  const loss = (1 - smoothing) * weightOf(target) * nll[target]! + smoothing * smoothed;
  return { loss, share: weightOf(target) };
}

/** −log of the summed probability of every path that gives the labels. */
export function ctcLoss(logits: readonly Vector[], labels: Vector, blankIndex: number): number {
  return -Math.log(labelProbabilities(allCtcPaths(logits, blankIndex)).get(labels.join())!);
}
