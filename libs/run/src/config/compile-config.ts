/** Raw values → run config: checked, every default filled in, frozen. */

import { resolve } from "node:path";

import type { z } from "zod";

import { RunError } from "../errors/index.js";
import { nearestName } from "./nearest-name.js";
import { brokenRule } from "./rules.js";
import { runConfigSchema } from "./schema.js";
import type { RunConfig } from "./schema.js";
import { keysOf, kindsWith, locate } from "./schema-walk.js";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

export interface CompileOptions {
  /** What a relative `data.baseDirectory` starts from; as it stands if left out. */
  readonly directory?: string;
  /** Names the place of a key, such as `lstm.yaml:12`; by default `where` for every key. */
  readonly locate?: (path: Path) => string;
}

/**
 * Checks a raw config and fills in the defaults.
 *
 * @param where names the source in messages, such as the file
 * @throws RunError 'unknownKey' | 'missingKey' | 'wrongType' | 'outOfRange', with one line such as
 *   `lstm.yaml:12: training.microShards: 6 is not a power of two between 1 and 1024`
 */
export function compileConfig(
  raw: unknown,
  where: string,
  options: CompileOptions = {},
): RunConfig {
  const place = options.locate ?? (() => where);
  const parsed = runConfigSchema.safeParse(raw);
  if (!parsed.success) {
    // A misspelled key explains the missing one beside it, so it is told first.
    const { issues } = parsed.error;
    const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
    if (issue !== undefined) throw errorOf(issue, raw, place);
    throw parsed.error;
  }
  const config = parsed.data;
  const broken = brokenRule(config);
  if (broken !== undefined) {
    const value = inWords(valueAt(config, broken.path));
    const key = broken.path.join(".");
    throw new RunError("outOfRange", `${place(broken.path)}: ${key}: ${value} ${broken.complaint}`);
  }
  const { directory } = options;
  if (directory === undefined) return config;
  const baseDirectory = resolve(directory, config.data.baseDirectory);
  return Object.freeze({ ...config, data: Object.freeze({ ...config.data, baseDirectory }) });
}

function errorOf(issue: Issue, raw: unknown, place: (path: Path) => string): RunError {
  const { key, group } = locate(runConfigSchema, issue.path, raw);
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys[0] ?? "";
    const path = [...issue.path, name];
    const kinds = kindsWith(runConfigSchema, issue.path, name);
    if (kinds.length > 0) {
      const needed = `${inDots([...issue.path, "kind"])}: ${kinds.join(" or ")}`;
      return new RunError("unknownKey", `${place(path)}: ${inDots(path)}: needs ${needed}`);
    }
    const hint = hintFor(name, issue.path.length === 0 ? "" : inDots(issue.path), group);
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

function hintFor(name: string, group: string, siblings: readonly string[]): string {
  const nearest = nearestName(name, siblings);
  if (nearest !== undefined) return `did you mean ${group === "" ? "" : `${group}.`}${nearest}?`;
  const elsewhere = [...keysOf(runConfigSchema)].find(
    ({ path }) => path.endsWith(`.${name}`) && path !== `${group}.${name}`,
  );
  if (elsewhere !== undefined) return `did you mean ${elsewhere.path}?`;
  return `known here: ${siblings.join(", ")}`;
}

function valueAt(raw: unknown, path: Path): unknown {
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
function inWords(value: unknown): string {
  if (typeof value === "number") return String(value);
  const json = (JSON.stringify(value) as string | undefined) ?? typeof value;
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
}
