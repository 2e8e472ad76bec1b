import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

import { expectShape } from "../kernel-call.js";
import type { KernelName } from "../kernel-names.js";
import type { OnTimeSteps } from "./time-steps.js";

/** Layer normalization inside the cell (Ba et al. 2016, equations 20 to 22). */
export interface LstmLayerNorm {
  /** [G·H]: scales the normalized recurrent product; its shift is in the bias of `inputGates`. */
  readonly recurrentGain: Tensor1D;
  /** [H] */
  readonly cellGain: Tensor1D;
  /** [H] */
  readonly cellBias: Tensor1D;
  /** Added to both variances: positive. */
  readonly epsilon: number;
}

/** The share k of the state before that zoneout keeps (Krueger et al. 2017), each in [0, 1]. */
export interface LstmZoneout {
  /** [T,B,R] */
  readonly hidden: Tensor3D;
  /** [T,B,H] */
  readonly cell: Tensor3D;
}

/** What forward and backward are both told. G is 4, or 3 with coupled gates. */
export interface LstmVariantOptions {
  /**
   * [3,H]: rows i and f multiply c_{t−1}, row o the new c̃_t (Gers et al. 2002). With coupled gates
   * [2,H]: rows i and o. None by default.
   */
  readonly peephole?: Tensor2D | undefined;
  /** f = 1 − i (Greff et al. 2017): the gates' columns are i, g, o instead of i, f, g, o. */
  readonly coupledGates: boolean;
  /** None by default. */
  readonly layerNorm?: LstmLayerNorm | undefined;
  /** None by default. */
  readonly keep?: LstmZoneout | undefined;
  readonly onTimeSteps?: OnTimeSteps | undefined;
}

/** T, B, H, R and G of the contract. */
export interface LstmVariantSizes {
  readonly numSteps: number;
  readonly numRows: number;
  readonly hiddenSize: number;
  readonly stateSize: number;
  readonly numGates: number;
}

/** @throws KernelError `invalidShape` */
export function expectOptionShapes(
  kernelName: KernelName,
  { peephole, coupledGates, layerNorm, keep }: LstmVariantOptions,
  { numSteps, numRows, hiddenSize, stateSize, numGates }: LstmVariantSizes,
): void {
  const peepholeShape = [coupledGates ? 2 : 3, hiddenSize];
  if (peephole) expectShape(kernelName, "peephole", peephole, peepholeShape);
  if (layerNorm) {
    const { recurrentGain, cellGain, cellBias } = layerNorm;
    expectShape(kernelName, "recurrentGain", recurrentGain, [numGates * hiddenSize]);
    expectShape(kernelName, "cellGain", cellGain, [hiddenSize]);
    expectShape(kernelName, "cellBias", cellBias, [hiddenSize]);
  }
  if (keep) {
    expectShape(kernelName, "keep.hidden", keep.hidden, [numSteps, numRows, stateSize]);
    expectShape(kernelName, "keep.cell", keep.cell, [numSteps, numRows, hiddenSize]);
  }
}

/** The options' tensors by the names under which kernels read them. */
export function optionTensors({
  peephole,
  layerNorm,
  keep,
}: LstmVariantOptions): Readonly<Record<string, Tensor | undefined>> {
  return {
    peephole,
    recurrentGain: layerNorm?.recurrentGain,
    cellGain: layerNorm?.cellGain,
    cellBias: layerNorm?.cellBias,
    keepHidden: keep?.hidden,
    keepCell: keep?.cell,
  };
}
