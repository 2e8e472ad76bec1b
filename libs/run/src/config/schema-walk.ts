/** The keys and groups of the schema, by path. */

import { z } from "zod";

import { metaOf } from "./keys.js";
import type { KeyMeta } from "./keys.js";
import { defaultKindOf, elementOf, shapesOf } from "./shapes.js";
import type { Shape } from "./shapes.js";

type Schema = z.core.$ZodType;

export interface SchemaKey {
  readonly path: string;
  readonly schema: z.core.$ZodType;
  /** Undefined if the key was never marked with a role; a test sees to it that none is. */
  readonly meta: KeyMeta | undefined;
}

/** Every key of a schema, a group that may be null being one as well; one that several alternatives of a group share is named once for each. */
export function* keysOf(schema: Schema, prefix: readonly string[] = []): Generator<SchemaKey> {
  const meta = metaOf(schema);
  const shapes = shapesOf(schema);
  if (meta !== undefined || shapes.length === 0) yield { path: prefix.join("."), schema, meta };
  for (const shape of shapes) {
    for (const [name, child] of Object.entries(shape)) yield* keysOf(child, [...prefix, name]);
  }
}

/**
 * The key that a path leads to or into, such as `data.files` for `data.files[2]`, with the shape of
 * the last group on the way, be it a member of a list: where alternatives exist, the one whose `kind` the raw value has, or has by default.
 */
export function locate(
  schema: Schema,
  path: readonly PropertyKey[],
  raw: unknown,
): { readonly key: KeyMeta | undefined; readonly group: readonly string[] } {
  const key = metaOf(schema);
  const shape = shapeFor(schema, raw);
  const [name, ...rest] = path;
  const element = elementOf(schema);
  if (element !== undefined && typeof name === "number") {
    const found = locate(element, rest, memberOf(raw, name));
    return { ...found, key: found.key ?? (found.group.length === 0 ? key : undefined) };
  }
  if (shape === undefined) return { key, group: [] };
  if (name === undefined) return { key, group: Object.keys(shape) };
  if (typeof name !== "string" || !Object.hasOwn(shape, name)) {
    return { key: undefined, group: Object.keys(shape) };
  }
  const child = shape[name];
  if (child === undefined) return { key: undefined, group: Object.keys(shape) };
  return locate(child, rest, memberOf(raw, name));
}

/** The kinds of the group at `path` that have a key of this name; none where the kinds don't differ in it. */
export function kindsWith(
  schema: Schema,
  path: readonly PropertyKey[],
  name: string,
): readonly string[] {
  const kinds = shapesAt(schema, path).flatMap((shape) => {
    const { kind } = shape;
    const isOne = Object.hasOwn(shape, name) && kind instanceof z.ZodLiteral;
    return isOne ? [...kind.values].map(String) : [];
  });
  return [...new Set(kinds)];
}

function shapesAt(schema: Schema, [name, ...rest]: readonly PropertyKey[]): readonly Shape[] {
  const shapes = shapesOf(schema);
  if (name === undefined) return shapes;
  return shapes.flatMap((shape) => {
    const child = Object.hasOwn(shape, name) ? shape[String(name)] : undefined;
    return child === undefined ? [] : shapesAt(child, rest);
  });
}

function memberOf(raw: unknown, name: string | number): unknown {
  return typeof raw === "object" && raw !== null && Object.hasOwn(raw, name)
    ? (raw as Readonly<Record<string | number, unknown>>)[name]
    : undefined;
}

function shapeFor(schema: Schema, raw: unknown): Shape | undefined {
  const shapes = shapesOf(schema);
  const kind = memberOf(raw, "kind") ?? defaultKindOf(schema);
  const ofKind = shapes.find(
    (shape) => shape["kind"] !== undefined && z.safeParse(shape["kind"], kind).success,
  );
  return ofKind ?? shapes.at(-1);
}
