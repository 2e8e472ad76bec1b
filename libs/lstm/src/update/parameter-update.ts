import { scaleValues, sumOfSquares } from "@ostinato/kernels";

import { createClipping } from "../clipping/index.js";
import type { ClippingSpec, ClipResult } from "../clipping/index.js";
import type { ParameterLayout } from "../layout/index.js";
import { LstmError } from "../lstm-error.js";
import { createOptimizer } from "../optimizers/index.js";
import type { OptimizerSpec, OptimizerState } from "../optimizers/index.js";
import { addGradientNoise } from "./gradient-noise.js";
import type { GradientNoise } from "./gradient-noise.js";

export interface ParameterUpdateOptions {
  readonly optimizer: OptimizerSpec;
  readonly clipping: ClippingSpec;
  /** Null for none. */
  readonly gradientNoise: GradientNoise | null;
  readonly layout: ParameterLayout;
  /** Of the gradient noise: a whole number from 0 to 2³² − 1. */
  readonly seed: number;
}

export interface UpdateRequest {
  /** [size]; not changed. */
  readonly parameters: Float32Array;
  /** [size]: of the SUM of the losses; not changed. */
  readonly gradient: Float32Array;
  /**
   * What the sum of the losses is divided by. 0 where no target of the batch counts: then there is
   * nothing to learn, and the averaged gradient is 0.
   */
  readonly lossWeight: number;
  readonly learningRate: number;
  /** 1 for the first step of the run. The gradient noise depends on it. */
  readonly step: number;
  /** See `OptimizerUpdate`. */
  readonly averagingStartStep?: number | undefined;
  /** Its slots are updated in place. */
  readonly state: OptimizerState;
  /** [size]: the new parameters; another buffer than `parameters`. */
  readonly out: Float32Array;
}

export interface UpdateResult {
  /** Global norm of the averaged gradient, before clipping and noise. */
  readonly gradientNorm: number;
  /** Whether clipping changed the gradient. */
  readonly clipped: boolean;
  /** False if the norm is not finite: then state and `out` are as they were. */
  readonly applied: boolean;
  /** Index of the first new parameter that is NaN or infinite, or -1. */
  readonly firstNonFinite: number;
}

export interface ParameterUpdater {
  /** The optimizer's state before the first step. */
  initialState(): OptimizerState;
  /** @throws {LstmError} `invalidOptimizerState` for a state of another optimizer or layout */
  checkState(state: OptimizerState): void;
  /**
   * One step: average → clip → add noise → optimizer. Without a target that counts it is a step like any
   * other, with a gradient of 0: momentum, weight decay, noise and schedule go on. The new parameters may be not finite even where
   * the gradient is, as after a step that is too long; that is the caller's to look at.
   *
   * @throws {LstmError} `invalidClipping` for a loss weight that is no finite number from 0;
   *   `invalidOptimizerState` for a state of another optimizer or layout
   * @throws {RangeError} for arrays of other lengths than the layout's
   */
  apply(request: UpdateRequest): UpdateResult;
}

/**
 * What makes the next parameters of a summed gradient: the whole arithmetic of a step after the gradient
 * tree, with defined bits. Holds no state between steps, but for memory that it uses again.
 *
 * @throws {LstmError} `invalidOptimizer` for a parameter group whose pattern matches no tensor
 */
export function createParameterUpdate(options: ParameterUpdateOptions): ParameterUpdater {
  const { gradientNoise, layout, seed } = options;
  const optimizer = createOptimizer(options.optimizer, layout);
  const clip = createClipping(options.clipping, layout);
  let memory: Float32Array | undefined;
  const scratch = (): Float32Array => (memory ??= new Float32Array(layout.size));
  const withNoise = ({ gradient, scale, clipped }: ClipResult, step: number): ClipResult => {
    if (gradientNoise === null) return { gradient, scale, clipped };
    const noisy = scratch();
    scaleValues(gradient, scale, noisy);
    addGradientNoise(noisy, gradientNoise, { seed, step });
    return { gradient: noisy, scale: 1, clipped };
  };
  return {
    initialState: () => optimizer.initialState(),
    checkState: (state) => {
      optimizer.checkState(state);
    },
    apply: ({ step, ...request }) => {
      if (!(request.lossWeight >= 0 && Number.isFinite(request.lossWeight))) {
        throw new LstmError(
          "invalidClipping",
          `the loss weight is ${request.lossWeight}; it must be a number from 0`,
        );
      }
      const hasTargets = request.lossWeight > 0;
      const lossWeight = hasTargets ? request.lossWeight : 1;
      const normOfAll = Math.sqrt(sumOfSquares(request.gradient)) / lossWeight;
      if (!Number.isFinite(normOfAll)) {
        return { gradientNorm: normOfAll, clipped: false, applied: false, firstNonFinite: -1 };
      }
      // Penalties and label smoothing may have a gradient where no target counts: it is over nothing.
      const sum = hasTargets ? request.gradient : new Float32Array(layout.size);
      const gradientNorm = hasTargets ? normOfAll : 0;
      const average = clip({
        ...{ ...request, gradient: sum, lossWeight },
        ...{ norm: gradientNorm, scratch },
      });
      const { gradient, scale, clipped } = withNoise(average, step);
      const firstNonFinite = optimizer.update({ ...request, gradient, gradientScale: scale });
      return { gradientNorm, clipped, applied: true, firstNonFinite };
    },
  };
}
