import { z } from "zod";

import { plateauKeys } from "../decisions/index.js";
import {
  key,
  MAX_UINT32,
  names,
  wholeNumber,
  wholeNumbers,
  withDefaultKind,
} from "../keys/index.js";

const ALL = [
  "constant",
  "step",
  "multiStep",
  "exponential",
  "polynomial",
  "cosine",
  "cosineRestarts",
  "oneCycle",
  "inverseSqrt",
  "decayFromEpoch",
  "plateau",
] as const;

const KINDS = names(ALL);
const COUNT = wholeNumbers(1, MAX_UINT32);
const SHARE = "a number from 0 to 1";
const UP_TO_1 = "a number above 0 and up to 1";
const BELOW_1 = "a number above 0 and below 1";
const FROM_1 = "a number from 1 to 1e12";
const MAX_POWER = 64;

const kind = <K extends (typeof ALL)[number]>(name: K): z.ZodLiteral<K> =>
  key(KINDS, z.literal(name));
const count = (): z.ZodInt => key(COUNT, wholeNumber(1, MAX_UINT32));
const gamma = key(UP_TO_1, z.number().positive().max(1).default(0.1));
const divisor = (byDefault: number): z.ZodDefault<z.ZodNumber> =>
  key(FROM_1, z.number().min(1).max(1e12).default(byDefault));
/** What the learning rate comes down to, as a share of the peak. */
const finalFraction = key(SHARE, z.number().min(0).max(1).default(0));
/** What lengths and milestones are counted in. */
const unit = key(names(["step", "epoch"]), z.enum(["step", "epoch"]).default("step"));

/** Steps on the way up before the schedule itself begins; 0 to start with it. */
const warmup = {
  warmupSteps: key(wholeNumbers(0, MAX_UINT32), wholeNumber(0, MAX_UINT32).default(0)),
};

const MILESTONES = `one or more ascending numbers, each ${COUNT}`;
const isAscending = (values: readonly number[]): boolean =>
  values.every((value, i) => value > (values[i - 1] ?? 0));

const constant = z.strictObject({ kind: kind("constant"), ...warmup });

const step = z.strictObject({
  kind: kind("step"),
  /** Steps or epochs from one multiplication with gamma to the next. */
  stepSize: count(),
  gamma,
  unit,
  ...warmup,
});

const multiStep = z.strictObject({
  kind: kind("multiStep"),
  /** Steps or epochs of the run, 0 being the first, from which on gamma is multiplied once more. */
  milestones: key(
    MILESTONES,
    z
      .array(wholeNumber(1, MAX_UINT32))
      .min(1)
      .refine(isAscending, `it must be ${MILESTONES}`)
      .readonly(),
  ),
  gamma,
  unit,
  ...warmup,
});

const exponential = z.strictObject({
  kind: kind("exponential"),
  /** What each step or epoch multiplies the learning rate with. */
  gamma: key(UP_TO_1, z.number().positive().max(1)),
  unit,
  ...warmup,
});

const polynomial = z.strictObject({
  kind: kind("polynomial"),
  /** The step of the run at which the learning rate has come down. */
  totalSteps: count(),
  /** 1: in a straight line. */
  power: key(
    `a number above 0 and up to ${MAX_POWER}`,
    z.number().positive().max(MAX_POWER).default(1),
  ),
  finalFraction,
  ...warmup,
});

const cosine = z.strictObject({
  kind: kind("cosine"),
  /** The step of the run at which the learning rate has come down. */
  totalSteps: count(),
  finalFraction,
  ...warmup,
});

const cosineRestarts = z.strictObject({
  kind: kind("cosineRestarts"),
  /** Steps to the first restart. */
  firstPeriod: count(),
  /** How much longer each period is than the one before it. */
  periodFactor: key(COUNT, wholeNumber(1, MAX_UINT32).default(1)),
  finalFraction,
  ...warmup,
});

const oneCycle = z.strictObject({
  kind: kind("oneCycle"),
  /** The step of the run at which the cycle is over. */
  totalSteps: count(),
  /** The share of the cycle in which the learning rate goes up. */
  warmupFraction: key(BELOW_1, z.number().positive().lt(1).default(0.3)),
  /** The cycle begins at the peak over this. */
  initialDivisor: divisor(25),
  /** It ends at what it began with over this. */
  finalDivisor: divisor(1e4),
  anneal: key(names(["cosine", "linear"]), z.enum(["cosine", "linear"]).default("cosine")),
  ...warmup,
});

const inverseSqrt = z.strictObject({
  kind: kind("inverseSqrt"),
  /** Steps on the way up; how fast the learning rate falls follows from them. */
  warmupSteps: count(),
});

const decayFromEpoch = z.strictObject({
  kind: kind("decayFromEpoch"),
  /** Epochs before the first multiplication with gamma. */
  fullEpochs: count(),
  /** What each later epoch multiplies the learning rate with. */
  gamma: key(UP_TO_1, z.number().positive().max(1).default(0.5)),
  ...warmup,
});

const plateau = z.strictObject({ kind: kind("plateau"), ...plateauKeys, ...warmup });

/** The keys of a schedule: ranges and defaults, but not {@link scheduleProblem}'s rules between keys. */
export const scheduleSchema = withDefaultKind(
  "constant",
  z.discriminatedUnion("kind", [
    constant.readonly(),
    step.readonly(),
    multiStep.readonly(),
    exponential.readonly(),
    polynomial.readonly(),
    cosine.readonly(),
    cosineRestarts.readonly(),
    oneCycle.readonly(),
    inverseSqrt.readonly(),
    decayFromEpoch.readonly(),
    plateau.readonly(),
  ]),
);

/** A checked schedule with every default filled in. */
export type LearningRateSchedule = z.output<typeof scheduleSchema>;
export type ScheduleOf<K extends LearningRateSchedule["kind"]> = Extract<
  LearningRateSchedule,
  { kind: K }
>;
