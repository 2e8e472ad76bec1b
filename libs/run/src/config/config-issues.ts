/** What a schema says of a raw config → one line for a person. */

import type { z } from "zod";

import { RunError } from "../errors/index.js";
import { nearestName } from "./nearest-name.js";
import type { BrokenRule } from "./rules.js";
import { keysOf, kindsWith, locate } from "./schema-walk.js";

export type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** What a kind of config is checked by. */
export interface ConfigRules<S extends z.ZodType> {
  readonly schema: S;
  /** The first rule between keys that a config breaks. */
  readonly brokenRule: (config: z.output<S>) => BrokenRule | undefined;
}

/**
 * Checks raw values and fills in the defaults.
 *
 * @param place names the place of a key, such as `lstm.yaml:12`
 * @throws RunError 'unknownKey' | 'missingKey' | 'wrongType' | 'outOfRange'
 */
export function checkedConfig<S extends z.ZodType>(
  { schema, brokenRule }: ConfigRules<S>,
  raw: unknown,
  place: (path: Path) => string,
): z.output<S> {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    // A misspelled key explains the missing one beside it, so it is told first.
    const { issues } = parsed.error;
    const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
    if (issue !== undefined) throw errorOf(schema, issue, raw, place);
    throw parsed.error;
  }
  const config = parsed.data;
  const broken = brokenRule(config);
  if (broken === undefined) return config;
  const value = inWords(valueAt(config, broken.path));
  const key = broken.path.join(".");
  throw new RunError("outOfRange", `${place(broken.path)}: ${key}: ${value} ${broken.complaint}`);
}

function errorOf(
  schema: z.ZodType,
  issue: Issue,
  raw: unknown,
  place: (path: Path) => string,
): RunError {
  const { key, group } = locate(schema, issue.path, raw);
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys[0] ?? "";
    const path = [...issue.path, name];
    const kinds = kindsWith(schema, issue.path, name);
    if (kinds.length > 0) {
      const needed = `${inDots([...issue.path, "kind"])}: ${kinds.join(" or ")}`;
      return new RunError("unknownKey", `${place(path)}: ${inDots(path)}: needs ${needed}`);
    }
    const hint = hintFor(schema, name, issue.path.length === 0 ? "" : inDots(issue.path), group);
    return new RunError("unknownKey", `${place(path)}: ${inDots(path)}: unknown key; ${hint}`);
  }
  const value = valueAt(raw, issue.path);
  const at = `${place(issue.path)}: ${inDots(issue.path)}`;
  if (key === undefined) {
    const allowed = `a group of keys (${group.join(", ")})`;
    return new RunError("wrongType", `${at}: ${inWords(value)} is not ${allowed}`);
  }
  if (value === undefined) {
    return new RunError("missingKey", `${at}: missing; give ${key.allowed}`);
  }
  const code = isTypeIssue(issue, value) ? "wrongType" : "outOfRange";
  return new RunError(code, `${at}: ${inWords(value)} is not ${key.allowed}`);
}

/** Whether a value is of another type than its key takes, rather than out of its range. */
function isTypeIssue(issue: Issue, value: unknown): boolean {
  switch (issue.code) {
    case "invalid_type":
      // 1.5 and .inf are numbers, if not those that were asked for.
      return !(typeof value === "number" && ["number", "int"].includes(issue.expected));
    case "invalid_union":
      return !(typeof value === "string" || Array.isArray(value));
    case "invalid_value":
      return !issue.values.some((allowed) => typeof allowed === typeof value);
    default:
      return false;
  }
}

function hintFor(
  schema: z.ZodType,
  name: string,
  group: string,
  siblings: readonly string[],
): string {
  const nearest = nearestName(name, siblings);
  if (nearest !== undefined) return `did you mean ${group === "" ? "" : `${group}.`}${nearest}?`;
  const elsewhere = [...keysOf(schema)].find(
    ({ path }) => path.endsWith(`.${name}`) && path !== `${group}.${name}`,
  );
  if (elsewhere !== undefined) return `did you mean ${elsewhere.path}?`;
  return `known here: ${siblings.join(", ")}`;
}

/** The value that a path leads to. */
export function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? (value as Readonly<Record<PropertyKey, unknown>>)[name]
        : undefined,
    raw,
  );
}

function inDots(path: Path): string {
  const dotted = path
    .map((name) => (typeof name === "number" ? `[${name}]` : `.${String(name)}`))
    .join("");
  return dotted === "" ? "config" : dotted.replace(/^\./, "");
}

const MAX_SHOWN = 60;

/** A value as it may stand in a line of text. */
export function inWords(value: unknown): string {
  if (typeof value === "number") return String(value);
  const json = (JSON.stringify(value) as string | undefined) ?? typeof value;
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
}
