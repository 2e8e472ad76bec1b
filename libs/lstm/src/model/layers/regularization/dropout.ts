import { mul } from "@tensorflow/tfjs-core";
import type { Tensor3D } from "@tensorflow/tfjs-core";

import type { Pass } from "../../pass/index.js";
import type { Forwarded } from "../forwarded.js";
import { activationMask } from "./random-masks.js";
import type { MaskName } from "./random-masks.js";

export interface DropoutOptions extends MaskName {
  /** Share of the values dropped, from 0 to below 1. */
  readonly rate: number;
  /** One mask for all time steps of a row (Gal and Ghahramani, 2016). */
  readonly isLocked: boolean;
}

/** Inverted dropout (Srivastava et al., 2014): what is kept grows by 1 / (1 − rate). */
export function dropout(pass: Pass, inputs: Tensor3D, options: DropoutOptions): Forwarded {
  const { rate, isLocked } = options;
  if (pass.training === undefined || rate === 0) {
    return { outputs: inputs, backward: (gradient) => gradient };
  }
  const mask = activationMask(pass, pass.training, options, inputs.shape, rate, isLocked);
  return { outputs: mul(inputs, mask), backward: (gradient) => mul(gradient, mask) };
}
