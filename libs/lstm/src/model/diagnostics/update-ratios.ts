import type { ParameterLayout } from "../../layout/index.js";

export interface UpdateRatio {
  readonly name: string;
  /** ‖w‖, before the update. */
  readonly weightNorm: number;
  /** ‖Δw‖ */
  readonly updateNorm: number;
  /** ‖Δw‖ / ‖w‖; undefined for a tensor of zeros. */
  readonly ratio: number | undefined;
}

/**
 * How much one update changes each tensor, as a share of the tensor: about 1/1000 is a rule of thumb of
 * practice (Karpathy, course notes CS231n, "Ratio of weights:updates"); far above it the learning rate is
 * too high, far below it the tensor does not learn.
 *
 * @param before in the layout's order.
 * @param after the same parameters after the update.
 */
export function updateRatios(
  layout: ParameterLayout,
  before: Float32Array,
  after: Float32Array,
): readonly UpdateRatio[] {
  return layout.tensors.map(({ name, offset, size }) => {
    let [weights, updates] = [0, 0];
    for (let index = offset; index < offset + size; index++) {
      const weight = before[index]!;
      weights += weight ** 2;
      updates += (after[index]! - weight) ** 2;
    }
    const [weightNorm, updateNorm] = [Math.sqrt(weights), Math.sqrt(updates)];
    const ratio = weightNorm === 0 ? undefined : updateNorm / weightNorm;
    return { name, weightNorm, updateNorm, ratio };
  });
}
