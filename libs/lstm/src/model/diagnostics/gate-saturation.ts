import type { RecurrentStackSpec } from "../../spec/index.js";
import type { GateName } from "../pass/index.js";
import { lengthOf } from "./observed-layers.js";
import type { ObservedLayer } from "./observed-layers.js";

/** What a gate's sum goes through. */
export type GateActivation = "sigmoid" | "tanh" | "relu";

export interface GateSaturation {
  readonly gate: GateName;
  readonly activation: GateActivation;
  /**
   * Share of the values at the lower end: sigmoid below 0.05, tanh below −0.95; of a relu those that are
   * zero, which pass no gradient (dead where it stays at 1).
   */
  readonly left: number;
  /** Share of the values at the upper end: above 0.95; none of a relu, which has no such end. */
  readonly right: number;
}

const SIGMOID_MARGIN = 0.05;
const TANH_BOUND = 0.95;

/**
 * How much of each gate is saturated, over all rows, own steps and units: there the activation's slope is
 * all but zero, and with it the gradient through the gate. After Karpathy, Johnson and Li (2015,
 * section 4.3), who take a gate for left- or right-saturated below 0.1 or above 0.9; here the ends are
 * 0.05 wide. A forget gate that is saturated to the right is a memory, which no gradient is lost in.
 */
export function gateSaturation(
  layer: ObservedLayer,
  { activation }: Pick<RecurrentStackSpec, "activation">,
): readonly GateSaturation[] {
  const { gates, activations, numSteps, numRows } = layer;
  const width = activations.length / (numSteps * numRows);
  const hiddenSize = width / gates.length;
  return gates.map((gate, index) => {
    const ofGate = activationOf(gate, activation);
    const [lower, upper] = BOUNDS[ofGate];
    let [left, right, count] = [0, 0, 0];
    for (let row = 0; row < numRows; row++) {
      for (let t = 0; t < lengthOf(layer, row); t++) {
        const start = (t * numRows + row) * width + index * hiddenSize;
        for (const value of activations.subarray(start, start + hiddenSize)) {
          if (value < lower) left++;
          else if (value > upper) right++;
        }
        count += hiddenSize;
      }
    }
    return { gate, activation: ofGate, left: left / count, right: right / count };
  });
}

const BOUNDS: Readonly<Record<GateActivation, readonly [lower: number, upper: number]>> = {
  sigmoid: [SIGMOID_MARGIN, 1 - SIGMOID_MARGIN],
  tanh: [-TANH_BOUND, TANH_BOUND],
  relu: [Number.MIN_VALUE, Infinity],
};

function activationOf(gate: GateName, ofHidden: RecurrentStackSpec["activation"]): GateActivation {
  switch (gate) {
    case "input":
    case "forget":
    case "output":
    case "reset":
    case "update":
      return "sigmoid";
    case "cell":
    case "candidate":
      return "tanh";
    case "hidden":
      return ofHidden;
    default:
      return gate satisfies never;
  }
}
