/** The reference RNN sequence kernels, composed of plain tfjs ops. Letters as in the contract. */
import { add, matMul, mul, relu, stack, step, tanh, tidy, zerosLike } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import type { RnnActivation } from "../../contract/index.js";
import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall, TimeStepAttributes } from "../../registered-kernel.js";
import { stepOf, sumOf, tanhSlope, zonedOut, zoneoutGradients } from "./step-tensors.js";

export interface RnnAttributes extends TimeStepAttributes {
  readonly activation: RnnActivation;
}

export interface RnnForwardTensors {
  readonly inputGates: Tensor3D;
  readonly recurrentKernel: Tensor2D;
  readonly initialHidden: Tensor2D;
  readonly keep?: Tensor3D;
}

export function rnnSequenceForward({
  inputs,
  attrs,
}: KernelCall<RnnForwardTensors, RnnAttributes>): Tensor[] {
  return tidy(() => {
    const { inputGates, recurrentKernel, keep } = inputs;
    const [numSteps] = inputGates.shape;
    const hidden = [inputs.initialHidden];
    const activations: Tensor2D[] = [];
    for (let t = 0; t < numSteps; t++) {
      const h_BH = hidden[t]!;
      const a_BH: Tensor2D = add(stepOf(inputGates, t), matMul(h_BH, recurrentKernel));
      const new_BH = attrs.activation === "tanh" ? tanh(a_BH) : relu(a_BH);
      activations.push(new_BH);
      hidden.push(zonedOut(keep, t, h_BH, new_BH));
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    return [stack(hidden), stack(activations)];
  });
}

export interface RnnBackwardTensors {
  readonly hiddenGradient: Tensor3D;
  readonly activations: Tensor3D;
  readonly recurrentKernelTransposed: Tensor2D;
  readonly keep?: Tensor3D;
}

export function rnnSequenceBackward({
  inputs,
  attrs,
}: KernelCall<RnnBackwardTensors, RnnAttributes>): Tensor[] {
  return tidy(() => {
    const { hiddenGradient, activations, recurrentKernelTransposed, keep } = inputs;
    const [numSteps] = hiddenGradient.shape;
    const gateGradients = new Array<Tensor2D>(numSteps);
    let fromNextHidden_BH = zerosLike(stepOf(hiddenGradient, 0));
    for (let t = numSteps - 1; t >= 0; t--) {
      const dh_BH: Tensor2D = add(stepOf(hiddenGradient, t), fromNextHidden_BH);
      const { before, after } = zoneoutGradients(keep, t, dh_BH);
      const new_BH = stepOf(activations, t);
      const slope_BH = attrs.activation === "tanh" ? tanhSlope(new_BH) : step(new_BH);
      const da_BH: Tensor2D = mul(after, slope_BH);
      gateGradients[t] = da_BH;
      fromNextHidden_BH = sumOf(matMul(da_BH, recurrentKernelTransposed), before);
      reportTimeSteps(attrs, numSteps - t, numSteps);
    }
    return [stack(gateGradients), fromNextHidden_BH];
  });
}
