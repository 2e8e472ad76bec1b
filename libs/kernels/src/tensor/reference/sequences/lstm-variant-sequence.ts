/** The reference LSTM with options, forward, composed of plain tfjs ops. Letters as in the contract. */
import {
  add,
  concat,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  stack,
  sub,
  tanh,
  tidy,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall, TimeStepAttributes } from "../../registered-kernel.js";
import { normalizedRows } from "../layer-norm.js";
import { columnBlock, stepOf, zonedOut } from "./step-tensors.js";

export interface LstmVariantOptionTensors {
  readonly peephole?: Tensor2D;
  readonly recurrentGain?: Tensor1D;
  readonly cellGain?: Tensor1D;
  readonly cellBias?: Tensor1D;
  readonly keepHidden?: Tensor3D;
  readonly keepCell?: Tensor3D;
}

export interface LstmVariantForwardTensors extends LstmVariantOptionTensors {
  readonly inputGates: Tensor3D;
  readonly recurrentKernel: Tensor2D;
  readonly projection?: Tensor2D;
  readonly initialHidden: Tensor2D;
  readonly initialCell: Tensor2D;
}

export interface LstmVariantForwardAttributes extends TimeStepAttributes {
  readonly coupledGates: boolean;
  /** Of layer normalization; given with its gains. */
  readonly epsilon?: number | undefined;
}

export function lstmVariantSequenceForward({
  inputs,
  attrs,
}: KernelCall<LstmVariantForwardTensors, LstmVariantForwardAttributes>): Tensor[] {
  return tidy(() => {
    const [numSteps] = inputs.inputGates.shape;
    const hidden = [inputs.initialHidden];
    const cell = [inputs.initialCell];
    const steps: VariantStep[] = [];
    for (let t = 0; t < numSteps; t++) {
      const [h_BR, c_BH] = [hidden[t]!, cell[t]!];
      const step = variantStep(inputs, attrs, stepOf(inputs.inputGates, t), h_BR, c_BH);
      steps.push(step);
      cell.push(zonedOut(inputs.keepCell, t, c_BH, step.candidate));
      hidden.push(zonedOut(inputs.keepHidden, t, h_BR, step.output));
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    const stacked = (pick: (step: VariantStep) => Tensor2D): Tensor => stack(steps.map(pick));
    const perRow = (pick: (step: VariantStep) => Tensor2D): Tensor =>
      reshape(stacked(pick), [numSteps, -1]);
    const outputs = [
      stack(hidden),
      stack(cell),
      stacked(({ candidate }) => candidate),
      stacked(({ gates }) => gates),
      stacked(({ activation }) => activation),
    ];
    if (inputs.projection) outputs.push(stacked(({ unprojected }) => unprojected));
    if (inputs.recurrentGain) {
      outputs.push(
        stacked(({ recurrentNorm }) => recurrentNorm!.normalized),
        perRow(({ recurrentNorm }) => recurrentNorm!.inverseDeviations),
        stacked(({ cellNorm }) => cellNorm!.normalized),
        perRow(({ cellNorm }) => cellNorm!.inverseDeviations),
      );
    }
    return outputs;
  });
}

type Normalization = ReturnType<typeof normalizedRows>;

/** One step before zoneout. */
interface VariantStep {
  /** [B,G·H] */
  readonly gates: Tensor2D;
  /** [B,H]: c̃_t */
  readonly candidate: Tensor2D;
  /** [B,H] */
  readonly activation: Tensor2D;
  /** [B,H] */
  readonly unprojected: Tensor2D;
  /** [B,R]: h̃_t */
  readonly output: Tensor2D;
  readonly recurrentNorm: Normalization | undefined;
  readonly cellNorm: Normalization | undefined;
}

function variantStep(
  inputs: LstmVariantForwardTensors,
  { coupledGates, epsilon }: LstmVariantForwardAttributes,
  x_BG: Tensor2D,
  h_BR: Tensor2D,
  c_BH: Tensor2D,
): VariantStep {
  const { peephole, recurrentGain, cellGain, cellBias, projection } = inputs;
  const hiddenSize = c_BH.shape[1];
  const product_BG: Tensor2D = matMul(h_BR, inputs.recurrentKernel);
  const recurrentNorm = recurrentGain && normalizedRows(product_BG, epsilon!);
  const recurrent_BG = recurrentNorm ? mul(recurrentNorm.normalized, recurrentGain) : product_BG;
  const a_BG: Tensor2D = add(x_BG, recurrent_BG);
  const peeped = (column: number, row: number, seen_BH: Tensor2D): Tensor2D => {
    const a_BH = columnBlock(a_BG, column, hiddenSize);
    if (peephole === undefined) return a_BH;
    return add(a_BH, mul(slice(peephole, [row, 0], [1, hiddenSize]), seen_BH));
  };
  const [gColumn, oColumn, oRow] = coupledGates ? [1, 2, 1] : [2, 3, 2];
  const i_BH = sigmoid(peeped(0, 0, c_BH));
  const f_BH: Tensor2D = coupledGates ? sub(1, i_BH) : sigmoid(peeped(1, 1, c_BH));
  const g_BH = tanh(columnBlock(a_BG, gColumn, hiddenSize));
  const candidate: Tensor2D = add(mul(f_BH, c_BH), mul(i_BH, g_BH));
  const o_BH = sigmoid(peeped(oColumn, oRow, candidate));
  const cellNorm = cellGain && normalizedRows(candidate, epsilon!);
  const activation: Tensor2D = tanh(
    cellNorm ? add(mul(cellNorm.normalized, cellGain), cellBias!) : candidate,
  );
  const unprojected: Tensor2D = mul(o_BH, activation);
  return {
    gates: concat(coupledGates ? [i_BH, g_BH, o_BH] : [i_BH, f_BH, g_BH, o_BH], 1),
    candidate,
    activation,
    unprojected,
    output: projection ? matMul(unprojected, projection) : unprojected,
    recurrentNorm,
    cellNorm,
  };
}
