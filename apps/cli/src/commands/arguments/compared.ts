/** `--compare KEY=V1,V2`: one key and the values that it is to have. */

import { CliError } from "../../errors/index.js";

export interface Compared {
  readonly key: string;
  /** At least two, all different. */
  readonly values: readonly string[];
}

/**
 * Reads `key=a,b,c`. A comma within brackets or quotes parts nothing, so that a value may be a list.
 *
 * @throws CliError 'usage'
 */
export function parseCompared(text: string): Compared {
  const separator = text.indexOf("=");
  const key = text.slice(0, Math.max(separator, 0)).trim();
  const values = separator < 0 ? [] : valuesOf(text.slice(separator + 1));
  if (key === "" || values.includes("")) {
    throw new CliError(
      "usage",
      `--compare ${text}: not of the form key=value,value, such as model.cell=rnn,lstm`,
    );
  }
  if (new Set(values).size !== values.length || values.length < 2) {
    throw new CliError("usage", `--compare ${text}: give two or more different values of ${key}`);
  }
  return { key, values };
}

function valuesOf(text: string): readonly string[] {
  const values = [""];
  let depth = 0;
  let quote: string | undefined;
  for (const character of text) {
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") quote = character;
    else if ("[{".includes(character)) depth++;
    else if ("]}".includes(character)) depth--;
    if (character === "," && depth === 0 && quote === undefined) values.push("");
    else values.push(`${values.pop() ?? ""}${character}`);
  }
  return values.map((value) => value.trim());
}
