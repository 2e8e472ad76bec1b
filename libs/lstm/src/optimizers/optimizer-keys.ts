import { z } from "zod";

import { optionalIntervalKey } from "../decisions/index.js";
import {
  FLAG,
  fraction,
  FRACTION,
  key,
  MAX_UINT32,
  names,
  NOT_NEGATIVE,
  notNegative,
  positive,
  POSITIVE,
  wholeNumber,
  wholeNumbers,
  withDefaultKind,
} from "../keys/index.js";

const KINDS = [
  "sgd",
  "momentum",
  "averagedSgd",
  "adagrad",
  "rmsprop",
  "adam",
  "adamw",
  "lamb",
] as const;

/** The names of the optimizers. */
export type OptimizerKind = (typeof KINDS)[number];

const kindOf = <K extends OptimizerKind>(kind: K): z.ZodLiteral<K> =>
  key(names(KINDS), z.literal(kind));

const parameterGroup = z
  .strictObject({
    /** A glob pattern of tensor names, where `*` stands for any characters. */
    match: key("a pattern of tensor names, such as '*.bias'", z.string().min(1)),
    /** What the learning rate is multiplied with; 0 leaves the tensors as they are. */
    learningRateScale: key(NOT_NEGATIVE, notNegative().default(1)),
    /** Instead of the optimizer's own. */
    weightDecay: key(
      `${NOT_NEGATIVE}, or null for the optimizer's own`,
      notNegative().nullable().default(null),
    ),
  })
  .readonly();

/** Tensors with settings of their own, as PyTorch's param_groups. */
export type ParameterGroup = z.output<typeof parameterGroup>;

/** Keys that every optimizer has. */
const anyOptimizer = (weightDecay = 0) => ({
  /** λ: what of the parameters is added to the gradient, unless the optimizer says otherwise. */
  weightDecay: key(NOT_NEGATIVE, notNegative().default(weightDecay)),
  /** The first whose pattern matches a tensor has it. */
  groups: key(
    "a list of groups of tensors (match, learningRateScale, weightDecay)",
    z.array(parameterGroup).default([]).readonly(),
  ),
});

/** Of Adam and its kin. */
const moments = (epsilon: number) => ({
  beta1: key(FRACTION, fraction().default(0.9)),
  beta2: key(FRACTION, fraction().default(0.999)),
  /** Added after the square root and its bias correction. */
  epsilon: key(POSITIVE, positive().default(epsilon)),
});

/** Divide by the largest running mean of squares so far (Reddi et al., 2018). */
const amsgrad = key(FLAG, z.boolean().default(false));

/** The keys of each optimizer, for a schema that has more of them. */
export const OPTIMIZER_KEYS = {
  /** torch.optim.SGD */
  sgd: { kind: kindOf("sgd"), ...anyOptimizer() },
  /** torch.optim.SGD with a momentum */
  momentum: {
    kind: kindOf("momentum"),
    momentum: key(FRACTION, fraction().default(0.9)),
    /** Share of the gradient that the momentum does not take, from the second update on. */
    dampening: key("a number from 0 to 1", z.number().min(0).max(1).default(0)),
    /** Nesterov's form, which looks a step ahead. */
    nesterov: key(FLAG, z.boolean().default(false)),
    ...anyOptimizer(),
  },
  /** torch.optim.ASGD (Polyak and Juditsky, 1992) */
  averagedSgd: {
    kind: kindOf("averagedSgd"),
    /** PyTorch's lambd: shrinks parameters and learning rate over time. */
    lambda: key(NOT_NEGATIVE, notNegative().default(1e-4)),
    /** The power of time that the learning rate falls with. */
    alpha: key(NOT_NEGATIVE, notNegative().default(0.75)),
    /** The update before averaging starts, unless it is started. */
    t0: key(wholeNumbers(0, MAX_UINT32), wholeNumber(0, MAX_UINT32).default(1e6)),
    /** Starts it by the validation losses: n of NT-ASGD (Merity et al., 2018); null for `t0` alone. */
    nonmonotonicInterval: optionalIntervalKey,
    ...anyOptimizer(),
  },
  /** torch.optim.Adagrad (Duchi et al., 2011) */
  adagrad: {
    kind: kindOf("adagrad"),
    /** The learning rate of update t is divided by 1 + (t − 1) times this. */
    learningRateDecay: key(NOT_NEGATIVE, notNegative().default(0)),
    /** What the sum of squares starts from. */
    initialAccumulator: key(NOT_NEGATIVE, notNegative().default(0)),
    /** Added after the square root. */
    epsilon: key(POSITIVE, positive().default(1e-10)),
    ...anyOptimizer(),
  },
  /** torch.optim.RMSprop (Hinton, 2012; centered: Graves, 2013) */
  rmsprop: {
    kind: kindOf("rmsprop"),
    /** Share of the running means that stays (PyTorch's alpha). */
    decay: key(FRACTION, fraction().default(0.99)),
    /** Added after the square root. */
    epsilon: key(POSITIVE, positive().default(1e-8)),
    /** 0 for none. */
    momentum: key(FRACTION, fraction().default(0)),
    /** Divide by the root of the variance instead of the mean square. */
    centered: key(FLAG, z.boolean().default(false)),
    ...anyOptimizer(),
  },
  /** torch.optim.Adam (Kingma and Ba, 2015) */
  adam: { kind: kindOf("adam"), ...moments(1e-8), amsgrad, ...anyOptimizer() },
  /** torch.optim.AdamW (Loshchilov and Hutter, 2019): the weight decay is no part of the gradient */
  adamw: { kind: kindOf("adamw"), ...moments(1e-8), amsgrad, ...anyOptimizer(0.01) },
  /** You et al., 2020, Algorithm 2 */
  lamb: {
    kind: kindOf("lamb"),
    ...moments(1e-6),
    /** φ(z) = min(z, this) of the norm of a tensor; null for φ(z) = z. */
    maxWeightNorm: key(`${POSITIVE}, or null`, positive().nullable().default(null)),
    ...anyOptimizer(0.01),
  },
} as const;

export const optimizerSchema = withDefaultKind(
  "adam",
  z.discriminatedUnion("kind", [
    z.strictObject(OPTIMIZER_KEYS.sgd).readonly(),
    z.strictObject(OPTIMIZER_KEYS.momentum).readonly(),
    z.strictObject(OPTIMIZER_KEYS.averagedSgd).readonly(),
    z.strictObject(OPTIMIZER_KEYS.adagrad).readonly(),
    z.strictObject(OPTIMIZER_KEYS.rmsprop).readonly(),
    z.strictObject(OPTIMIZER_KEYS.adam).readonly(),
    z.strictObject(OPTIMIZER_KEYS.adamw).readonly(),
    z.strictObject(OPTIMIZER_KEYS.lamb).readonly(),
  ]),
);

/** An optimizer by its kind. The learning rate is no part of it: it comes with each update. */
export type OptimizerSpec = z.output<typeof optimizerSchema>;
