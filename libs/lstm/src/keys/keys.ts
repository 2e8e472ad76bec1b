import { z } from "zod";

/** The largest number that is finite as a float32, which is what the arithmetic works with. */
const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;
export const MAX_UINT32 = 2 ** 32 - 1;

/**
 * A key of a spec. Give the default to the schema before: `key(FRACTION, fraction().default(0))`.
 *
 * @param allowed the values it takes, as the end of "it must be …"
 */
export function key<S extends z.ZodType>(allowed: string, schema: S): S {
  return schema.describe(allowed);
}

/** The values that a key takes, in words; undefined for a group of keys. */
export function allowedBy(schema: z.core.$ZodType): string | undefined {
  return z.globalRegistry.get(schema)?.description;
}

export const FRACTION = "a number from 0 to below 1";
export const POSITIVE = "a number above 0 and up to 3.4e38";
export const NOT_NEGATIVE = "a number from 0 to 3.4e38";
export const FINITE = "a number from -3.4e38 to 3.4e38";
export const FLAG = "true or false";

/** In words, what {@link wholeNumber} takes. */
export const wholeNumbers = (min: number, max: number): string =>
  `a whole number from ${min} to ${max}`;

/** In words, one of some names: `'a', 'b' or 'c'`. */
export function names(all: readonly string[]): string {
  const quoted = all.map((name) => `'${name}'`);
  const last = quoted.at(-1) ?? "nothing";
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(", ")} or ${last}`;
}

export const wholeNumber = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);
export const fraction = (): z.ZodNumber => z.number().min(0).lt(1);
export const positive = (): z.ZodNumber => z.number().positive().max(MAX_FLOAT32);
export const notNegative = (): z.ZodNumber => z.number().min(0).max(MAX_FLOAT32);
export const finite = (): z.ZodNumber => z.number().min(-MAX_FLOAT32).max(MAX_FLOAT32);

/** Lets a group leave out the `kind` that is its default. */
export function withDefaultKind<S extends z.ZodType>(kind: string, union: S): z.ZodPreprocess<S> {
  return z.preprocess(
    (raw) =>
      typeof raw === "object" && raw !== null && !Object.hasOwn(raw, "kind")
        ? { kind, ...raw }
        : raw,
    union,
  );
}
