/**
 * JSON lines that end in their own hash: `{…,"hash":"<64 hex digits>"}`. The hash is the SHA-256 of the
 * line without that last member, byte for byte, so that a line is checked without parsing it first.
 */

import { createHash } from "node:crypto";

/** `,"hash":"` + 64 digits + `"}` */
const SEAL_BYTES = 9 + 64 + 2;

/** Why a line is refused: it is no sealed line at all, or its bytes are not those that were sealed. */
export type SealFlaw = "malformed" | "changed";

export type OpenedLine =
  | { readonly flaw: SealFlaw }
  | {
      readonly flaw?: never;
      readonly hash: string;
      /** The parsed object without its hash. */
      readonly value: Readonly<Record<string, unknown>>;
    };

/** The line of an object, without the newline. Numbers that are not finite become null. */
export function sealJson(value: object): { readonly line: string; readonly hash: string } {
  const json = JSON.stringify(value);
  const hash = createHash("sha256").update(json).digest("hex");
  return { line: `${json.slice(0, -1)},"hash":"${hash}"}`, hash };
}

/** The object of a line, given without its newline. */
export function openSealedJson(line: Uint8Array): OpenedLine {
  const parsed = parseObject(line);
  if (parsed === undefined) return { flaw: "malformed" };
  const seal = Buffer.from(line.subarray(Math.max(0, line.length - SEAL_BYTES))).toString("latin1");
  const hash = /^,"hash":"([0-9a-f]{64})"\}$/.exec(seal)?.[1];
  if (hash === undefined) return { flaw: "changed" };
  const sealed = createHash("sha256").update(line.subarray(0, -SEAL_BYTES)).update("}");
  if (sealed.digest("hex") !== hash) return { flaw: "changed" };
  const { hash: _, ...value } = parsed;
  return { hash, value };
}

function parseObject(line: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
