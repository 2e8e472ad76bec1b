/** `--set training.epochs=3`: single keys given on the command line. */

import { isScalar, isSeq, parseDocument } from "yaml";
import type { Document } from "yaml";

import { RunError } from "../errors/index.js";

export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * Reads `a.b=c`. The value is a YAML scalar or a list in brackets (`3`, `null`, `[a.txt, b.txt]`);
 * what is neither, such as `*.txt`, is a string as it stands.
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
  return { path, value: parseValue(text.slice(separator + 1)) };
}

function parseValue(text: string): unknown {
  const document = parseDocument(text);
  const { contents, errors, warnings } = document;
  const isPlain = contents === null || isScalar(contents) || (isSeq(contents) && contents.flow);
  return errors.length + warnings.length === 0 && isPlain ? document.toJS() : text;
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
