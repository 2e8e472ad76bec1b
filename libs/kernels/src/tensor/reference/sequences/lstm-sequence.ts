/** The reference LSTM sequence kernels, composed of plain tfjs ops. Letters as in the contract. */
import { add, concat, matMul, mul, sigmoid, stack, tanh, tidy, zeros } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall, TimeStepAttributes } from "../../registered-kernel.js";
import { columnBlock, sigmoidSlope, stepOf, tanhSlope } from "./step-tensors.js";

export function lstmSequenceForward({
  inputs,
  attrs,
}: KernelCall<
  {
    inputGates: Tensor3D;
    recurrentKernel: Tensor2D;
    initialHidden: Tensor2D;
    initialCell: Tensor2D;
  },
  TimeStepAttributes
>): Tensor[] {
  return tidy(() => {
    const { inputGates, recurrentKernel } = inputs;
    const [numSteps] = inputGates.shape;
    const hiddenSize = recurrentKernel.shape[0];
    const hidden = [inputs.initialHidden];
    const cell = [inputs.initialCell];
    const gates: Tensor2D[] = [];
    const cellActivations: Tensor2D[] = [];
    for (let t = 0; t < numSteps; t++) {
      const [h_BH, c_BH] = [hidden[t]!, cell[t]!];
      const z_B4H: Tensor2D = add(stepOf(inputGates, t), matMul(h_BH, recurrentKernel));
      const ifo = [0, 1, 3].map((k) => sigmoid(columnBlock(z_B4H, k, hiddenSize)));
      const [i_BH, f_BH, o_BH] = ifo as [Tensor2D, Tensor2D, Tensor2D];
      const g_BH = tanh(columnBlock(z_B4H, 2, hiddenSize));
      const next_BH: Tensor2D = add(mul(f_BH, c_BH), mul(i_BH, g_BH));
      const activation_BH = tanh(next_BH);
      gates.push(concat([i_BH, f_BH, g_BH, o_BH], 1));
      cell.push(next_BH);
      cellActivations.push(activation_BH);
      hidden.push(mul(o_BH, activation_BH));
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    return [stack(hidden), stack(cell), stack(gates), stack(cellActivations)];
  });
}

export function lstmSequenceBackward({
  inputs,
  attrs,
}: KernelCall<
  {
    hiddenGradient: Tensor3D;
    cellGradient?: Tensor3D;
    gates: Tensor3D;
    cell: Tensor3D;
    cellActivations: Tensor3D;
    recurrentKernelTransposed: Tensor2D;
  },
  TimeStepAttributes
>): Tensor[] {
  return tidy(() => {
    const { hiddenGradient, cellGradient, gates, cell, cellActivations } = inputs;
    const [numSteps, numRows, hiddenSize] = hiddenGradient.shape;
    const gateGradients = new Array<Tensor2D>(numSteps);
    // What step t + 1 passes back to h_t and c_t; nothing after the last step.
    let fromNextHidden_BH: Tensor2D = zeros([numRows, hiddenSize]);
    let fromNextCell_BH: Tensor2D = zeros([numRows, hiddenSize]);
    for (let t = numSteps - 1; t >= 0; t--) {
      const gates_B4H = stepOf(gates, t);
      const ifgo = [0, 1, 2, 3].map((k) => columnBlock(gates_B4H, k, hiddenSize));
      const [i_BH, f_BH, g_BH, o_BH] = ifgo as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
      const activation_BH = stepOf(cellActivations, t);
      if (cellGradient) fromNextCell_BH = add(fromNextCell_BH, stepOf(cellGradient, t));
      const dh_BH = add(stepOf(hiddenGradient, t), fromNextHidden_BH);
      const dc_BH = add(fromNextCell_BH, mul(mul(dh_BH, o_BH), tanhSlope(activation_BH)));
      const di_BH = mul(mul(dc_BH, g_BH), sigmoidSlope(i_BH));
      const df_BH = mul(mul(dc_BH, stepOf(cell, t)), sigmoidSlope(f_BH));
      const dg_BH = mul(mul(dc_BH, i_BH), tanhSlope(g_BH));
      const do_BH = mul(mul(dh_BH, activation_BH), sigmoidSlope(o_BH));
      const dz_B4H: Tensor2D = concat([di_BH, df_BH, dg_BH, do_BH] as Tensor2D[], 1);
      gateGradients[t] = dz_B4H;
      fromNextCell_BH = mul(dc_BH, f_BH);
      fromNextHidden_BH = matMul(dz_B4H, inputs.recurrentKernelTransposed);
      reportTimeSteps(attrs, numSteps - t, numSteps);
    }
    return [stack(gateGradients), fromNextHidden_BH, fromNextCell_BH];
  });
}
