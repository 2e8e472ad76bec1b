import { z } from "zod";

import {
  finite,
  FINITE,
  key,
  MAX_UINT32,
  names,
  notNegative,
  NOT_NEGATIVE,
  positive,
  POSITIVE,
  wholeNumber,
  wholeNumbers,
} from "../keys/index.js";
import { NONLINEARITIES } from "./initializers/index.js";

const ALL = [
  "uniform",
  "normal",
  "truncatedNormal",
  "glorotUniform",
  "glorotNormal",
  "heUniform",
  "heNormal",
  "lecunUniform",
  "lecunNormal",
  "orthogonal",
  "identity",
  "constant",
  "zeros",
  "chrono",
] as const;
const KINDS = names(ALL);
const PARTS = ["input", "recurrent", "all"] as const;
const FANS = ["fanIn", "fanOut"] as const;
const BOUND = "a number from 0.01 to 6";

const kind = <K extends (typeof ALL)[number]>(name: K): z.ZodLiteral<K> =>
  key(KINDS, z.literal(name));

const target = {
  /** A glob pattern of tensor names, such as `layers.*.kernel`. */
  match: key("a pattern of tensor names", z.string().min(1)),
  /** Rows of a recurrent layer's kernel: those of the input, those of the hidden state, or each of both. */
  part: key(names(PARTS), z.enum(PARTS).default("all")),
};
const mean = key(FINITE, finite().default(0));
const std = key(POSITIVE, positive());
const gain = key(POSITIVE, positive().default(1));
const he = {
  fan: key(names(FANS), z.enum(FANS).default("fanIn")),
  /** Of the units that the weights lead to. */
  nonlinearity: key(names(NONLINEARITIES), z.enum(NONLINEARITIES).default("relu")),
  /** Of `leakyRelu`. */
  negativeSlope: key(NOT_NEGATIVE, notNegative().default(0.01)),
};

const initializer = z.discriminatedUnion("kind", [
  z.strictObject({ ...target, kind: kind("uniform"), range: key(POSITIVE, positive()) }),
  z.strictObject({ ...target, kind: kind("normal"), mean, std }),
  z.strictObject({
    ...target,
    kind: kind("truncatedNormal"),
    mean,
    std,
    /** In standard deviations. */
    bound: key(BOUND, z.number().min(0.01).max(6).default(2)),
  }),
  z.strictObject({ ...target, kind: kind("glorotUniform"), gain }),
  z.strictObject({ ...target, kind: kind("glorotNormal"), gain }),
  z.strictObject({ ...target, kind: kind("heUniform"), ...he }),
  z.strictObject({ ...target, kind: kind("heNormal"), ...he }),
  z.strictObject({ ...target, kind: kind("lecunUniform") }),
  z.strictObject({ ...target, kind: kind("lecunNormal") }),
  z.strictObject({ ...target, kind: kind("orthogonal"), gain }),
  z.strictObject({
    ...target,
    kind: kind("identity"),
    scale: key(FINITE, finite().default(1)),
  }),
  z.strictObject({ ...target, kind: kind("constant"), value: key(FINITE, finite()) }),
  z.strictObject({ ...target, kind: kind("zeros") }),
  z.strictObject({
    ...target,
    kind: kind("chrono"),
    /** The longest dependency that is expected, in time steps. */
    maxTime: key(wholeNumbers(2, MAX_UINT32), wholeNumber(2, MAX_UINT32)),
  }),
]);

/** How tensors start: of the entries that match a tensor, or one of its parts, the first counts. */
export const initializationSchema = key(
  "a list of initializers, each with match and kind",
  z.array(initializer.readonly()).default([]).readonly(),
);

export type InitializerSpec = z.output<typeof initializer>;
export type InitializationSpec = z.output<typeof initializationSchema>;
