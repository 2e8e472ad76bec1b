/** end.json: that a run came to its end, and with what. */

import { z } from "zod";

import { RunError } from "../errors/index.js";

const endFile = z.strictObject({
  outcome: z.literal("completed"),
  step: z.int().nonnegative(),
  parametersSha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Where the ledger ends, its end record included. */
  ledger: z.strictObject({ head: z.string(), offset: z.int().nonnegative() }),
});

/** What end.json holds. */
export type RunEnd = z.output<typeof endFile>;

export function encodeRunEnd(end: RunEnd): Uint8Array {
  return Buffer.from(`${JSON.stringify(end, undefined, 2)}\n`);
}

/**
 * The end of a run from the bytes of its end.json.
 *
 * @param name names the file in messages
 * @throws RunError 'endRecordDamaged'
 */
export function decodeRunEnd(bytes: Uint8Array, name: string): RunEnd {
  try {
    return endFile.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    throw new RunError("endRecordDamaged", `${name}: is no end record of a run`, { cause: error });
  }
}
