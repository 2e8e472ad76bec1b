import { requireMatchingTensors } from "../layout/index.js";
import type { ParameterLayout } from "../layout/index.js";
import type { OptimizerSpec } from "./optimizer-keys.js";

/** Neighbouring values of the flat buffers that are updated with the same settings. */
export interface ParameterRun {
  readonly first: number;
  readonly end: number;
  readonly learningRateScale: number;
  readonly weightDecay: number;
}

/**
 * The layout as runs, in order. A tensor has the settings of the first group whose pattern matches it,
 * and the optimizer's own where none does.
 *
 * @param isTensorwise one run a tensor; otherwise as few as possible
 * @throws {LstmError} `invalidOptimizer` for a pattern that matches no tensor
 */
export function parameterRuns(
  { groups, weightDecay }: Pick<OptimizerSpec, "groups" | "weightDecay">,
  layout: ParameterLayout,
  isTensorwise: boolean,
): readonly ParameterRun[] {
  const members = groups.map(({ match }, index) => {
    const options = { key: `optimizer.groups[${index}].match`, code: "invalidOptimizer" } as const;
    return new Set(requireMatchingTensors(layout, match, options));
  });
  const runs: ParameterRun[] = [];
  for (const tensor of layout.tensors) {
    const group = groups[members.findIndex((tensors) => tensors.has(tensor))];
    const settings = {
      learningRateScale: group?.learningRateScale ?? 1,
      weightDecay: group?.weightDecay ?? weightDecay,
    };
    const end = tensor.offset + tensor.size;
    const before = runs.at(-1);
    if (before !== undefined && !isTensorwise && hasSettings(before, settings)) {
      runs[runs.length - 1] = { ...before, end };
    } else {
      runs.push({ first: tensor.offset, end, ...settings });
    }
  }
  return runs;
}

function hasSettings(
  run: ParameterRun,
  { learningRateScale, weightDecay }: Pick<ParameterRun, "learningRateScale" | "weightDecay">,
): boolean {
  return run.learningRateScale === learningRateScale && run.weightDecay === weightDecay;
}
