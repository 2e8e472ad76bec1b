/** The reference LSTM with options, backward, composed of plain tfjs ops. Letters as in the contract. */
import {
  add,
  clone,
  concat,
  matMul,
  mul,
  reshape,
  slice,
  stack,
  sub,
  tidy,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall, TimeStepAttributes } from "../../registered-kernel.js";
import { normalizedRowsGradient } from "../layer-norm.js";
import type { LstmVariantOptionTensors } from "./lstm-variant-sequence.js";
import {
  columnBlock,
  sigmoidSlope,
  stepOf,
  sumOf,
  tanhSlope,
  zoneoutGradients,
} from "./step-tensors.js";

export interface LstmVariantBackwardTensors extends LstmVariantOptionTensors {
  readonly hiddenGradient: Tensor3D;
  readonly cellGradient?: Tensor3D;
  readonly recurrentKernelTransposed: Tensor2D;
  readonly projectionTransposed?: Tensor2D;
  readonly cell: Tensor3D;
  readonly gates: Tensor3D;
  readonly cellActivations: Tensor3D;
  readonly recurrentNormalized?: Tensor3D;
  readonly recurrentInverseDeviations?: Tensor2D;
  readonly cellNormalized?: Tensor3D;
  readonly cellInverseDeviations?: Tensor2D;
}

export interface LstmVariantBackwardAttributes extends TimeStepAttributes {
  readonly coupledGates: boolean;
}

export function lstmVariantSequenceBackward({
  inputs,
  attrs,
}: KernelCall<LstmVariantBackwardTensors, LstmVariantBackwardAttributes>): Tensor[] {
  return tidy(() => {
    const { hiddenGradient, cellGradient, keepHidden, recurrentKernelTransposed } = inputs;
    const { projectionTransposed } = inputs;
    const [numSteps] = hiddenGradient.shape;
    const steps = new Array<StepGradients>(numSteps);
    let fromNextHidden_BR = zerosLike(stepOf(hiddenGradient, 0));
    let fromNextCell_BH = zerosLike(stepOf(inputs.cell, 0));
    for (let t = numSteps - 1; t >= 0; t--) {
      const dh_BR: Tensor2D = add(stepOf(hiddenGradient, t), fromNextHidden_BR);
      const ofOutput = zoneoutGradients(keepHidden, t, dh_BR);
      const unprojected_BH: Tensor2D = projectionTransposed
        ? matMul(ofOutput.after, projectionTransposed)
        : ofOutput.after;
      const dc_BH = cellGradient
        ? add<Tensor2D>(fromNextCell_BH, stepOf(cellGradient, t))
        : fromNextCell_BH;
      const step = { ...cellStep(inputs, attrs, t, unprojected_BH, dc_BH), output: ofOutput.after };
      steps[t] = step;
      fromNextCell_BH = step.cellBefore;
      const product_BR: Tensor2D = matMul(step.recurrent, recurrentKernelTransposed);
      fromNextHidden_BR = sumOf(product_BR, ofOutput.before);
      reportTimeSteps(attrs, numSteps - t, numSteps);
    }
    const stacked = (pick: (step: StepGradients) => Tensor2D): Tensor => stack(steps.map(pick));
    const gateGradients = stacked(({ gates }) => gates);
    const outputs = [
      gateGradients,
      inputs.recurrentGain ? stacked(({ recurrent }) => recurrent) : clone(gateGradients),
      fromNextHidden_BR,
      fromNextCell_BH,
    ];
    if (projectionTransposed) outputs.push(stacked(({ output }) => output));
    if (inputs.cellGain) outputs.push(stacked(({ cellNorm }) => cellNorm));
    return outputs;
  });
}

interface CellGradients {
  /** [B,G·H] */
  readonly gates: Tensor2D;
  /** [B,G·H]: with respect to h·Wh. */
  readonly recurrent: Tensor2D;
  /** [B,H]: with respect to what tanh is taken of. */
  readonly cellNorm: Tensor2D;
  /** [B,H]: with respect to c_{t−1}. */
  readonly cellBefore: Tensor2D;
}

interface StepGradients extends CellGradients {
  /** [B,R]: with respect to h̃_t. */
  readonly output: Tensor2D;
}

/**
 * @param dm_BH with respect to o∘tanh.
 * @param dc_BH with respect to c_t, but for its way through h_t.
 */
function cellStep(
  inputs: LstmVariantBackwardTensors,
  { coupledGates }: LstmVariantBackwardAttributes,
  t: number,
  dm_BH: Tensor2D,
  dc_BH: Tensor2D,
): CellGradients {
  const { peephole, recurrentGain, cellGain } = inputs;
  const hiddenSize = dm_BH.shape[1];
  const gates_BG = stepOf(inputs.gates, t);
  const gateOf = (column: number): Tensor2D => columnBlock(gates_BG, column, hiddenSize);
  const throughPeephole = (row: number, da_BH: Tensor2D): Tensor2D | undefined =>
    peephole && mul(slice(peephole, [row, 0], [1, hiddenSize]), da_BH);
  const before_BH = stepOf(inputs.cell, t);
  const activation_BH = stepOf(inputs.cellActivations, t);
  const [gColumn, oColumn, oRow] = coupledGates ? [1, 2, 1] : [2, 3, 2];
  const [i_BH, g_BH, o_BH] = [gateOf(0), gateOf(gColumn), gateOf(oColumn)];
  const f_BH: Tensor2D = coupledGates ? sub(1, i_BH) : gateOf(1);

  const do_BH: Tensor2D = mul(mul(dm_BH, activation_BH), sigmoidSlope(o_BH));
  const cellNorm: Tensor2D = mul(mul(dm_BH, o_BH), tanhSlope(activation_BH));
  const throughTanh_BH = cellGain
    ? normalizedRowsGradient(
        mul(cellNorm, cellGain),
        stepOf(inputs.cellNormalized!, t),
        deviationsOf(inputs.cellInverseDeviations!, t),
      )
    : cellNorm;
  const ofCell = zoneoutGradients(inputs.keepCell, t, dc_BH);
  const dCandidate_BH = sumOf(ofCell.after, throughTanh_BH, throughPeephole(oRow, do_BH));

  const iFactor_BH: Tensor2D = coupledGates ? sub(g_BH, before_BH) : g_BH;
  const di_BH: Tensor2D = mul(mul(dCandidate_BH, iFactor_BH), sigmoidSlope(i_BH));
  const df_BH: Tensor2D = mul(mul(dCandidate_BH, before_BH), sigmoidSlope(f_BH));
  const dg_BH: Tensor2D = mul(mul(dCandidate_BH, i_BH), tanhSlope(g_BH));
  const gates = concat(coupledGates ? [di_BH, dg_BH, do_BH] : [di_BH, df_BH, dg_BH, do_BH], 1);
  const recurrent = recurrentGain
    ? normalizedRowsGradient(
        mul(gates, recurrentGain),
        stepOf(inputs.recurrentNormalized!, t),
        deviationsOf(inputs.recurrentInverseDeviations!, t),
      )
    : gates;
  const cellBefore = sumOf(
    mul(dCandidate_BH, f_BH),
    throughPeephole(0, di_BH),
    coupledGates ? undefined : throughPeephole(1, df_BH),
    ofCell.before,
  );
  return { gates, recurrent, cellNorm, cellBefore };
}

/** [T,B] → [B,1] at step t. */
function deviationsOf(deviations: Tensor2D, t: number): Tensor2D {
  return reshape(slice(deviations, [t, 0], [1, deviations.shape[1]]), [-1, 1]);
}
