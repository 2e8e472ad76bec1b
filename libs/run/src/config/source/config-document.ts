/** A YAML file and overrides → raw values, with the line of whatever is wrong. */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node } from "yaml";

import { RunError } from "../../errors/index.js";
import { applyOverride, parseOverride } from "./overrides.js";
import { dropNegativeZeros, unplainValue } from "./plain-values.js";

export interface LoadConfigOptions {
  /** Path of a YAML file. */
  readonly file: string;
  /** `key=value` each, the later ones first in rank; see {@link parseOverride}. */
  readonly overrides?: readonly string[];
  /** One more `key=value`, above all others, which messages name `--compare` instead of `--set`. */
  readonly compared?: string | undefined;
}

export interface ConfigDocument {
  readonly raw: unknown;
  /** Absolute: the file's folder. */
  readonly directory: string;
  /** Names the place of a key, such as `lstm.yaml:12` or `--set model.cell`. */
  readonly locate: (path: readonly PropertyKey[]) => string;
}

/** @throws RunError 'configNotFound' | 'configSyntax' | 'badOverride' */
export async function readConfigDocument({
  file,
  overrides = [],
  compared,
}: LoadConfigOptions): Promise<ConfigDocument> {
  const text = await readConfigFile(file);
  const lines = new LineCounter();
  // What YAML would warn of on the console is refused below, with its line.
  const logLevel = "error";
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel });
  const flaw = document.errors[0] ?? document.warnings[0];
  if (flaw !== undefined) {
    const line = lines.linePos(flaw.pos[0]).line;
    throw new RunError("configSyntax", `${file}:${line}: not YAML: ${oneLine(flaw.message)}`);
  }
  const original = document.clone();
  const optionOf = new Map<string, string>();
  const apply = (text: string, option: string): void => {
    const override = parseOverride(text);
    applyOverride(document, override);
    const key = override.path.join(".");
    optionOf.set(key, `${option} ${key}`);
  };
  for (const override of overrides) apply(override, "--set");
  if (compared !== undefined) apply(compared, `${file}: --compare`);
  return {
    raw: valuesOf(document, file),
    directory: dirname(resolve(file)),
    locate: (path) => {
      for (let length = path.length; length > 0; length--) {
        const option = optionOf.get(path.slice(0, length).join("."));
        if (option !== undefined) return option;
      }
      // A group that the file does not have came with a key in it.
      const inside = [...optionOf].find(([key]) => key.startsWith(`${path.join(".")}.`));
      if (inside !== undefined && !original.hasIn(path)) return inside[1];
      return `${file}:${lineOf(document, lines, path)}`;
    },
  };
}

async function readConfigFile(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === "ENOENT"
        ? "no such config file"
        : code === "EISDIR"
          ? "a folder, not a config file"
          : `the config file cannot be read (${code ?? String(error)})`;
    throw new RunError("configNotFound", `${file}: ${reason}`, { cause: error });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new RunError("configSyntax", `${file}: not UTF-8 text`, { cause: error });
  }
}

function valuesOf(document: Document, file: string): unknown {
  let raw: unknown;
  dropNegativeZeros(document);
  try {
    raw = document.toJS();
  } catch (error) {
    // Aliases that expand without bound end here.
    const reason = error instanceof Error ? oneLine(error.message) : String(error);
    throw new RunError("configSyntax", `${file}: not YAML: ${reason}`, { cause: error });
  }
  const problem = unplainValue(raw);
  if (problem === undefined) return raw;
  const allowed = "a config has text, numbers, true, false, null, and lists and groups of them";
  throw new RunError("configSyntax", `${file}: ${problem}; ${allowed}`);
}

/** The line of a key, or of the nearest group around it that the file has. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let start = isNode(node) ? startOf(node) : 0;
  for (const name of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(name),
      );
      if (isPair(pair) && isScalar(pair.key)) start = startOf(pair.key);
      next = pair?.value;
    } else if (isSeq(node) && typeof name === "number") {
      next = node.items[name];
      if (isNode(next)) start = startOf(next);
    }
    if (next === undefined) break;
    node = next;
  }
  return lines.linePos(start).line;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function oneLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
