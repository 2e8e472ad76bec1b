/** Lines with a hash at their end, as the format's description has them: written anew, not with the code under test. */

import { createHash } from "node:crypto";

/** A JSON object's text with its hash as the last member. */
export function sealed(json: string): { readonly line: string; readonly hash: string } {
  const hash = createHash("sha256").update(json).digest("hex");
  return { line: `${json.slice(0, -1)},"hash":"${hash}"}`, hash };
}

/** The object that a text is; undefined for any other text. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The object's JSON; undefined for one that is too deep to be written again, as no honest one is. */
export function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
