/** A YAML file and `--set` overrides → run config, with the line of whatever is wrong. */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node } from "yaml";

import { RunError } from "../errors/index.js";
import { compileConfig } from "./compile-config.js";
import { applyOverride, parseOverride } from "./overrides.js";
import type { RunConfig } from "./schema.js";

export interface LoadConfigOptions {
  /** Path of a YAML file. */
  readonly file: string;
  /** `key=value` each, the later ones first in rank; see {@link parseOverride}. */
  readonly overrides?: readonly string[];
}

/**
 * Reads a config file. A relative `data.baseDirectory` becomes absolute, from the file's folder.
 *
 * @throws RunError 'configNotFound' | 'configSyntax' | 'badOverride', and what `compileConfig` throws
 */
export async function loadConfig({ file, overrides = [] }: LoadConfigOptions): Promise<RunConfig> {
  const text = await readConfigFile(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const flaw = document.errors[0] ?? document.warnings[0];
  if (flaw !== undefined) {
    const line = lines.linePos(flaw.pos[0]).line;
    throw new RunError("configSyntax", `${file}:${line}: not YAML: ${oneLine(flaw.message)}`);
  }
  const parsed = overrides.map(parseOverride);
  const original = document.clone();
  for (const override of parsed) applyOverride(document, override);
  const overridden = new Set(parsed.map(({ path }) => path.join(".")));
  return compileConfig(valuesOf(document, file), file, {
    directory: dirname(resolve(file)),
    locate: (path) => {
      for (let length = path.length; length > 0; length--) {
        const key = path.slice(0, length).join(".");
        if (overridden.has(key)) return `--set ${key}`;
      }
      // A group that the file does not have came with a key in it.
      const inside = [...overridden].find((key) => key.startsWith(`${path.join(".")}.`));
      if (inside !== undefined && !original.hasIn(path)) return `--set ${inside}`;
      return `${file}:${lineOf(document, lines, path)}`;
    },
  });
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
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that expand without bound end here.
    const reason = error instanceof Error ? oneLine(error.message) : String(error);
    throw new RunError("configSyntax", `${file}: not YAML: ${reason}`, { cause: error });
  }
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
