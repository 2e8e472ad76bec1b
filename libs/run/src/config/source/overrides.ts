/** `--set training.epochs=3`: single keys given on the command line. */

import { CST, isScalar, isSeq, Lexer, parseDocument } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";

import { RunError } from "../../errors/index.js";
import { runConfigSchema } from "../schema.js";
import { keysOf } from "../schema-walk.js";
import { dropNegativeZeros } from "./plain-values.js";

export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * Reads `a.b=c`. The value is a YAML scalar or a list in brackets (`3`, `null`, `[a.txt, b.txt]`);
 * what is neither, such as `*.txt`, is a string as it stands, and so is what YAML would take a comment,
 * an anchor or a tag out of, such as `Book #1.txt`, and a number where the key takes text alone.
 *
 * @throws RunError 'badOverride'
 */
export function parseOverride(text: string): Override {
  const separator = text.indexOf("=");
  const path = text.slice(0, Math.max(separator, 0)).split(".");
  if (path.some((name) => name === "")) {
    throw new RunError(
      "badOverride",
      `--set ${text}: not of the form key=value, such as training.epochs=3`,
    );
  }
  const rest = text.slice(separator + 1);
  const value = parseValue(rest);
  return { path, value: typeof value === "number" && takesText(path, value) ? rest : value };
}

function parseValue(text: string): unknown {
  if ([...new Lexer().lex(text)].some(losesText)) return text;
  const document = parseDocument(text);
  dropNegativeZeros(document);
  const { contents, errors, warnings } = document;
  const isPlain = contents === null || isScalar(contents) || (isSeq(contents) && contents.flow);
  return errors.length + warnings.length === 0 && isPlain ? document.toJS() : text;
}

function losesText(token: string): boolean {
  const type = CST.tokenType(token);
  return type !== null && ["alias", "anchor", "comment", "tag"].includes(type);
}

/** Whether the key takes a text, and not the number that YAML makes of it. */
function takesText(path: readonly string[], value: number): boolean {
  const keys = [...keysOf(runConfigSchema)].filter((key) => key.path === path.join("."));
  const takes = (tried: unknown): boolean =>
    keys.some(({ schema }) => z.safeParse(schema, tried).success);
  return !takes(value) && takes(String(value));
}

/**
 * Sets a key of a config document, in place.
 *
 * @throws RunError 'badOverride' if the key leads through something that is no group
 */
export function applyOverride(document: Document, { path, value }: Override): void {
  try {
    if (document.contents === null) document.contents = document.createNode({});
    document.setIn(path, value);
  } catch (error) {
    const key = path.join(".");
    throw new RunError("badOverride", `--set ${key}: the config has no group of keys there`, {
      cause: error,
    });
  }
}
