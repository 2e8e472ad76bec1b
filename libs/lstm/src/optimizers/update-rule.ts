import {
  adagradUpdate,
  adamUpdate,
  amsgradUpdate,
  averagedSgdUpdate,
  lambUpdate,
  momentumUpdate,
  rmspropMomentumUpdate,
  rmspropUpdate,
  sgdUpdate,
} from "@ostinato/kernels";
import type { ParameterUpdate } from "@ostinato/kernels";

import { pow } from "../portable/index.js";
import { firstAveragedUpdate } from "./averaging.js";
import type { OptimizerSpec } from "./optimizer-keys.js";

/** An update of a run of parameters that share their settings. */
export interface RunUpdate extends ParameterUpdate {
  readonly weightDecay: number;
  /** 1 for the first. */
  readonly step: number;
  readonly averagingStartStep: number | undefined;
}

/** What makes an optimizer one of its kind. */
export interface UpdateRule {
  readonly slots: readonly string[];
  /** What the slots start from. */
  readonly initialValue: number;
  /** Whether an update must have one whole tensor, as its norms are taken. */
  readonly isTensorwise: boolean;
  /**
   * Where the weight decay goes before the update: into the gradient, which gets λ·p; into the parameters,
   * which are multiplied with 1 − η·λ (decoupled); or nowhere, as the update sees to it.
   */
  readonly decays: "gradient" | "parameters" | "nothing";
  /**
   * @param slots of the run
   * @returns the index of the run's first new parameter that is NaN or infinite, or -1
   */
  apply(update: RunUpdate, slots: Readonly<Record<string, Float32Array>>): number;
}

/** The rule of an optimizer with the semantics of PyTorch's of that name. */
export function updateRule(spec: OptimizerSpec): UpdateRule {
  switch (spec.kind) {
    case "sgd":
      return ruleOf([], sgdUpdate);
    case "momentum": {
      const { momentum, nesterov } = spec;
      return ruleOf(["momentumBuffer"], (update, slots) => {
        // PyTorch's buffer starts as the first gradient, whatever the dampening.
        const dampening = update.step === 1 ? 0 : spec.dampening;
        return momentumUpdate({ ...update, ...slots, momentum, dampening, nesterov });
      });
    }
    case "averagedSgd":
      return averagedSgdRule(spec);
    case "adagrad": {
      const { epsilon, learningRateDecay, initialAccumulator } = spec;
      const rule = ruleOf(["squareSum"], (update, slots) => {
        const learningRate = update.learningRate / (1 + (update.step - 1) * learningRateDecay);
        return adagradUpdate({ ...update, ...slots, learningRate, epsilon });
      });
      return { ...rule, initialValue: initialAccumulator };
    }
    case "rmsprop":
      return rmspropRule(spec);
    case "adam":
    case "adamw":
      return adamRule(spec);
    case "lamb": {
      const { beta1, beta2, epsilon } = spec;
      const maxWeightNorm = spec.maxWeightNorm ?? Infinity;
      const rule = ruleOf(["firstMoment", "secondMoment"], (update, slots) =>
        lambUpdate({ ...update, ...slots, beta1, beta2, epsilon, maxWeightNorm }),
      );
      return { ...rule, isTensorwise: true, decays: "nothing" };
    }
    default:
      return spec satisfies never;
  }
}

/**
 * Update t has the learning rate η / (1 + λ·η·(t − 1))^α, as PyTorch's for a constant η; under a schedule
 * PyTorch's takes a new η into account one update later.
 */
function averagedSgdRule(spec: Extract<OptimizerSpec, { kind: "averagedSgd" }>): UpdateRule {
  const { lambda, alpha } = spec;
  return ruleOf(["average"], (update, slots) => {
    const { step, averagingStartStep } = update;
    const first = firstAveragedUpdate(spec, averagingStartStep) ?? step;
    const eta = update.learningRate;
    const learningRate = eta / pow(1 + lambda * eta * (step - 1), alpha);
    const shrinkage = 1 - lambda * learningRate;
    const averagingRate = 1 / Math.max(1, step - first + 1);
    return averagedSgdUpdate({ ...update, ...slots, learningRate, shrinkage, averagingRate });
  });
}

function rmspropRule(spec: Extract<OptimizerSpec, { kind: "rmsprop" }>): UpdateRule {
  const { decay, epsilon, momentum, centered } = spec;
  const means = ["squareAverage", ...(centered ? (["gradientAverage"] as const) : [])] as const;
  if (momentum === 0) {
    return ruleOf<"squareAverage", "gradientAverage">(means, (update, slots) => {
      const { gradientAverage } = slots;
      return rmspropUpdate({ ...update, ...slots, gradientAverage, decay, epsilon });
    });
  }
  return ruleOf<"squareAverage" | "momentumBuffer", "gradientAverage">(
    [...means, "momentumBuffer"],
    (update, slots) => {
      const { gradientAverage } = slots;
      return rmspropMomentumUpdate({
        ...update,
        ...slots,
        gradientAverage,
        decay,
        epsilon,
        momentum,
      });
    },
  );
}

function adamRule(spec: Extract<OptimizerSpec, { kind: "adam" | "adamw" }>): UpdateRule {
  const { kind, beta1, beta2, epsilon, amsgrad } = spec;
  const rule = amsgrad
    ? ruleOf(["firstMoment", "secondMoment", "maxSecondMoment"], (update, slots) =>
        amsgradUpdate({ ...update, ...slots, beta1, beta2, epsilon }),
      )
    : ruleOf(["firstMoment", "secondMoment"], (update, slots) =>
        adamUpdate({ ...update, ...slots, beta1, beta2, epsilon }),
      );
  return kind === "adamw" ? { ...rule, decays: "parameters" } : rule;
}

type SlotsOf<Slot extends string, Optional extends string> = Readonly<Record<Slot, Float32Array>> &
  Readonly<Partial<Record<Optional, Float32Array>>>;

/** A rule that updates value by value, starts from zeros and has its weight decay in the gradient. */
function ruleOf<const Slot extends string, const Optional extends string = never>(
  slots: readonly (Slot | Optional)[],
  apply: (update: RunUpdate, slots: SlotsOf<Slot, Optional>) => number,
): UpdateRule {
  return {
    slots,
    initialValue: 0,
    isTensorwise: false,
    decays: "gradient",
    apply: (update, found: Readonly<Record<string, Float32Array>>) =>
      apply(update, found as SlotsOf<Slot, Optional>),
  };
}
