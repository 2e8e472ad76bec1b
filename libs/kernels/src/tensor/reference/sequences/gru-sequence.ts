/** The reference GRU sequence kernels, composed of plain tfjs ops. Letters as in the contract. */
import {
  add,
  clone,
  concat,
  matMul,
  mul,
  sigmoid,
  split,
  stack,
  sub,
  tanh,
  tidy,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { reportTimeSteps } from "../../registered-kernel.js";
import type { KernelCall, TimeStepAttributes } from "../../registered-kernel.js";
import {
  columnBlock,
  sigmoidSlope,
  stepOf,
  sumOf,
  tanhSlope,
  zonedOut,
  zoneoutGradients,
} from "./step-tensors.js";

export interface GruAttributes extends TimeStepAttributes {
  readonly resetAfter: boolean;
}

export interface GruForwardTensors {
  readonly inputGates: Tensor3D;
  readonly recurrentKernel: Tensor2D;
  readonly candidateBias?: Tensor1D;
  readonly initialHidden: Tensor2D;
  readonly keep?: Tensor3D;
}

export function gruSequenceForward({
  inputs,
  attrs,
}: KernelCall<GruForwardTensors, GruAttributes>): Tensor[] {
  return tidy(() => {
    const { inputGates, recurrentKernel, candidateBias, keep } = inputs;
    const [numSteps] = inputGates.shape;
    const hiddenSize = recurrentKernel.shape[0];
    const gateKernel = columnBlock(recurrentKernel, 0, hiddenSize, 2);
    const candidateKernel = columnBlock(recurrentKernel, 2, hiddenSize);
    const hidden = [inputs.initialHidden];
    const gates: Tensor2D[] = [];
    const candidates: Tensor2D[] = [];
    for (let t = 0; t < numSteps; t++) {
      const h_BH = hidden[t]!;
      const x_B3H = stepOf(inputGates, t);
      const rz_B2H = sigmoid(add(columnBlock(x_B3H, 0, hiddenSize, 2), matMul(h_BH, gateKernel)));
      const r_BH = columnBlock(rz_B2H as Tensor2D, 0, hiddenSize);
      const z_BH = columnBlock(rz_B2H as Tensor2D, 1, hiddenSize);
      const x_BH = columnBlock(x_B3H, 2, hiddenSize);
      let candidate_BH: Tensor2D;
      let n_BH: Tensor2D;
      if (attrs.resetAfter) {
        const product_BH: Tensor2D = matMul(h_BH, candidateKernel);
        candidate_BH = candidateBias === undefined ? product_BH : add(product_BH, candidateBias);
        n_BH = tanh(add(x_BH, mul(r_BH, candidate_BH)));
      } else {
        candidate_BH = mul(r_BH, h_BH);
        n_BH = tanh(add(x_BH, matMul(candidate_BH, candidateKernel)));
      }
      const new_BH: Tensor2D = add(mul(sub(1, z_BH), n_BH), mul(z_BH, h_BH));
      gates.push(concat([rz_B2H as Tensor2D, n_BH], 1));
      candidates.push(candidate_BH);
      hidden.push(zonedOut(keep, t, h_BH, new_BH));
      reportTimeSteps(attrs, t + 1, numSteps);
    }
    return [stack(hidden), stack(gates), stack(candidates)];
  });
}

export interface GruBackwardTensors {
  readonly hiddenGradient: Tensor3D;
  readonly gates: Tensor3D;
  readonly candidates: Tensor3D;
  readonly hidden: Tensor3D;
  readonly recurrentKernelTransposed: Tensor2D;
  readonly keep?: Tensor3D;
}

export function gruSequenceBackward({
  inputs,
  attrs,
}: KernelCall<GruBackwardTensors, GruAttributes>): Tensor[] {
  return tidy(() => {
    const { hiddenGradient, gates, candidates, hidden, recurrentKernelTransposed, keep } = inputs;
    const [numSteps, , hiddenSize] = hiddenGradient.shape;
    const [gateKernelTransposed, candidateKernelTransposed] = attrs.resetAfter
      ? []
      : split(recurrentKernelTransposed, [2 * hiddenSize, hiddenSize]);
    const gateGradients = new Array<Tensor2D>(numSteps);
    const recurrentGradients = new Array<Tensor2D>(numSteps);
    let fromNextHidden_BH = zerosLike(stepOf(hiddenGradient, 0));
    for (let t = numSteps - 1; t >= 0; t--) {
      const gates_B3H = stepOf(gates, t);
      const rzn = [0, 1, 2].map((k) => columnBlock(gates_B3H, k, hiddenSize));
      const [r_BH, z_BH, n_BH] = rzn as [Tensor2D, Tensor2D, Tensor2D];
      const h_BH = stepOf(hidden, t);
      const dh_BH: Tensor2D = add(stepOf(hiddenGradient, t), fromNextHidden_BH);
      const { before, after } = zoneoutGradients(keep, t, dh_BH);
      const direct_BH: Tensor2D = mul(after, z_BH);
      const dz_BH: Tensor2D = mul(mul(after, sub(h_BH, n_BH)), sigmoidSlope(z_BH));
      const dn_BH: Tensor2D = mul(mul(after, sub(1, z_BH)), tanhSlope(n_BH));
      if (attrs.resetAfter) {
        const dr_BH: Tensor2D = mul(mul(dn_BH, stepOf(candidates, t)), sigmoidSlope(r_BH));
        const recurrent_B3H = concat([dr_BH, dz_BH, mul<Tensor2D>(dn_BH, r_BH)], 1);
        gateGradients[t] = concat([dr_BH, dz_BH, dn_BH], 1);
        recurrentGradients[t] = recurrent_B3H;
        const product_BH: Tensor2D = matMul(recurrent_B3H, recurrentKernelTransposed);
        fromNextHidden_BH = sumOf(product_BH, direct_BH, before);
      } else {
        const dCandidate_BH: Tensor2D = matMul(dn_BH, candidateKernelTransposed!);
        const dr_BH: Tensor2D = mul(mul(dCandidate_BH, h_BH), sigmoidSlope(r_BH));
        gateGradients[t] = concat([dr_BH, dz_BH, dn_BH], 1);
        const product_BH: Tensor2D = matMul(concat([dr_BH, dz_BH], 1), gateKernelTransposed!);
        const ofReset_BH: Tensor2D = mul(dCandidate_BH, r_BH);
        fromNextHidden_BH = sumOf(product_BH, ofReset_BH, direct_BH, before);
      }
      reportTimeSteps(attrs, numSteps - t, numSteps);
    }
    const stacked = stack(gateGradients);
    return [
      stacked,
      attrs.resetAfter ? stack(recurrentGradients) : clone(stacked),
      fromNextHidden_BH,
    ];
  });
}
