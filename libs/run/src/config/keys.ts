/** What the schema says of a key beyond its type: its role in a resume, and its values in words. */

import { allowedBy } from "@ostinato/lstm";
import { z } from "zod";

import { elementOf, shapesOf } from "./shapes.js";

/**
 * What a change of a key does to a run that is resumed: another value of a `trajectory` key would lead
 * to other parameters or other ledger lines and is refused; an `operational` key may change at any time.
 */
export type KeyRole = "trajectory" | "operational";

export interface KeyMeta {
  readonly role: KeyRole;
  /** The values that the key takes, as the end of "… is not …". */
  readonly allowed: string;
  /** The value with which a run has the trajectory that it had before there was the key, if there was one. */
  readonly before?: unknown;
}

/** The keys of the schema; a registry of its own, so that the type of the entries is checked. */
const keys = z.registry<KeyMeta>();

type Mark = <S extends z.ZodType>(allowed: string, schema: S) => S;

const mark =
  (role: KeyRole): Mark =>
  (allowed, schema) => {
    keys.add(schema, { role, allowed });
    return schema;
  };

/** Marks a key that the parameters or the ledger depend on. */
export const trajectory: Mark = mark("trajectory");

/**
 * Marks a key that parameters or the ledger depend on, and that came when there were runs without it: with the
 * value `before` these go on as they were begun.
 */
export const addedTrajectory = <S extends z.ZodType>(
  allowed: string,
  before: unknown,
  schema: S,
): S => {
  keys.add(schema, { role: "trajectory", allowed, before });
  return schema;
};

/** Marks a key that may change when a run is resumed. */
export const operational: Mark = mark("operational");

/** A key's role and values; undefined for a schema that is no key. */
export function metaOf(schema: z.core.$ZodType): KeyMeta | undefined {
  return keys.get(schema);
}

/**
 * Marks every key of a group that another package wrote down, whose values it says in words, as one
 * that the parameters or the ledger depend on.
 */
export function trajectoryGroup<S extends z.ZodType>(group: S): S {
  markAll(group);
  return group;
}

function markAll(schema: z.core.$ZodType): void {
  const allowed = allowedBy(schema);
  if (allowed !== undefined) keys.add(schema, { role: "trajectory", allowed });
  // A list is one key; what the keys of its groups take is for messages alone.
  const element = elementOf(schema);
  if (element !== undefined) markAll(element);
  // A group that may be null is a key and has keys.
  for (const shape of shapesOf(schema)) Object.values(shape).forEach(markAll);
}
