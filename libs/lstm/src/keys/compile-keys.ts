import { z } from "zod";

import { LstmError } from "../lstm-error.js";
import type { LstmErrorCode } from "../lstm-error.js";
import { shown } from "../shown.js";
import { allowedBy } from "./keys.js";

export interface CompileKeysOptions {
  readonly code: LstmErrorCode;
  /** What the keys belong to, such as `model`: the first word of a key's name in messages. */
  readonly group: string;
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * Checks every key and returns a frozen copy with the defaults filled in. Nothing is corrected.
 *
 * @param raw a plain object, such as a parsed JSON text
 * @throws {LstmError} `options.code`, naming the key, its value and what is allowed
 */
export function compileKeys<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  options: CompileKeysOptions,
): z.output<S> {
  const { code, group } = options;
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new LstmError(code, `${group} is ${shown(raw)}; it must be an object`);
  }
  // A copy, so that nothing is taken from a prototype.
  const parsed = schema.safeParse({ ...raw });
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // A misspelled key explains the missing one beside it, so it is told first.
  const issue = issues.find((candidate) => candidate.code === "unrecognized_keys") ?? issues[0];
  if (issue === undefined) throw parsed.error;
  throw new LstmError(code, messageFor(issue, schema, raw, group));
}

function messageFor(issue: Issue, schema: z.core.$ZodType, raw: unknown, group: string): string {
  const { allowed, known } = describe(schema, issue.path, raw);
  if (issue.code === "unrecognized_keys") {
    const name = nameOf([...issue.path, issue.keys[0] ?? ""], group);
    return `${name} is not a key of ${nameOf(issue.path, group)} (${known.join(", ")})`;
  }
  const name = nameOf(issue.path, group);
  const { value, isThere } = lookUp(raw, issue.path);
  const found = isThere ? `is ${shown(value)}` : "is missing";
  // A rule between keys says itself what it wants.
  const must =
    issue.code === "custom" ? issue.message : `it must be ${allowed ?? "a group of keys"}`;
  return `${name} ${found}; ${must}`;
}

/** What is known of the schema where a path leads to, or of the last group on the way. */
function describe(
  schema: z.core.$ZodType,
  path: Path,
  raw: unknown,
): { readonly allowed: string | undefined; readonly known: readonly string[] } {
  const [name, ...rest] = path;
  const shape = shapeFor(schema, raw, name);
  const own = allowedBy(schema);
  if (name === undefined) return { allowed: own, known: Object.keys(shape ?? {}) };
  const inner = unwrapped(schema);
  const child =
    inner instanceof z.ZodArray
      ? inner.element
      : shape !== undefined && Object.hasOwn(shape, name)
        ? shape[String(name)]
        : undefined;
  if (child === undefined) return { allowed: own, known: Object.keys(shape ?? {}) };
  const found = describe(child, rest, lookUp(raw, [name]).value);
  return { ...found, allowed: found.allowed ?? own };
}

type Shape = Readonly<Record<string, z.core.$ZodType>>;

/** The keys of a group; of alternatives, those of the one whose `kind` the raw value has (or gets), or which has the key. */
function shapeFor(
  schema: z.core.$ZodType,
  raw: unknown,
  name: PropertyKey | undefined,
): Shape | undefined {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject) return inner.shape;
  if (!(inner instanceof z.ZodUnion)) return undefined;
  const options: readonly z.core.$ZodType[] = inner.options;
  const shapes = options.flatMap((option): Shape[] => {
    const shape = shapeFor(option, raw, name);
    return shape === undefined ? [] : [shape];
  });
  const kind = lookUp(raw, ["kind"]).value ?? defaultKindOf(schema);
  const isOfKind = ({ kind: ofShape }: Shape): boolean =>
    ofShape !== undefined && z.safeParse(ofShape, kind).success;
  const hasKey = (shape: Shape): boolean =>
    name !== undefined && name !== "kind" && Object.hasOwn(shape, name);
  return shapes.find(isOfKind) ?? shapes.find(hasKey) ?? shapes.at(-1);
}

/** The kind that alternatives have if the raw value names none, by `withDefaultKind`. */
function defaultKindOf(schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodPipe && schema.in instanceof z.ZodTransform) {
    return lookUp(z.safeParse(schema.in, {}).data, ["kind"]).value;
  }
  if (
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return defaultKindOf(schema.def.innerType);
  }
  return undefined;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPipe) return unwrapped(schema.out);
  if (
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return unwrapped(schema.def.innerType);
  }
  return schema;
}

function lookUp(raw: unknown, path: Path): { readonly value: unknown; readonly isThere: boolean } {
  let value = raw;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
      return { value: undefined, isThere: false };
    }
    value = (value as Readonly<Record<PropertyKey, unknown>>)[name];
  }
  return { value, isThere: true };
}

function nameOf(path: Path, group: string): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === "number") return `${name}[${part}]`;
    return /^\w+$/.test(String(part)) ? `${name}.${String(part)}` : JSON.stringify(part);
  }, group);
}
