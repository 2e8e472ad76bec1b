/** manifest.json: what a checkpoint is of, and the checksum of each of its files. */

import { decisionStateSchema } from "@ostinato/lstm";
import { z } from "zod";

import type { RunModelSpec } from "../data/index.js";
import { requireFormat, RunError } from "../errors/index.js";
import { openSealedJson, sealJson } from "../sealed-json/index.js";
import { TENSOR_FILES } from "./content.js";
import type { TensorFile } from "./content.js";

export const MANIFEST_FILE = "manifest.json";

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const whole = z.int().nonnegative();
const fileEntry = z.strictObject({ bytes: whole, sha256: hex64 });

export const MANIFEST_FORMAT = 1;

const manifestSchema = z.strictObject({
  format: z.literal(MANIFEST_FORMAT),
  job: z.string(),
  step: whole,
  trajectory: z.string(),
  data: z.string(),
  // Written by the program that compiled it; the manifest's own hash guards it from there.
  model: z.custom<RunModelSpec>((value) => typeof value === "object" && value !== null),
  profile: z
    .strictObject({ backend: z.string(), version: z.string(), digest: z.string() })
    .nullable(),
  ledger: z.strictObject({ head: hex64, offset: whole }),
  /** SHA-256 of the run's vocabulary.json; null for a run without one. */
  vocabulary: hex64.nullable(),
  optimizer: z.strictObject({ stepCount: whole, slots: z.array(z.string()) }),
  progress: decisionStateSchema,
  files: z.strictObject(
    Object.fromEntries(TENSOR_FILES.map((name) => [name, fileEntry])) as Record<
      TensorFile,
      typeof fileEntry
    >,
  ),
});

export type Manifest = z.output<typeof manifestSchema>;

export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(`${sealJson(manifest).line}\n`);
}

/** @throws RunError 'checkpointDamaged' | 'newerFormat' */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const endsInNewline = bytes.at(-1) === 0x0a;
  const opened = openSealedJson(bytes.subarray(0, -1));
  if (!endsInNewline || opened.flaw !== undefined) {
    const reason =
      opened.flaw === "changed" ? "does not have the hash that it names" : "is cut or not JSON";
    throw new RunError("checkpointDamaged", `${MANIFEST_FILE} ${reason}`);
  }
  requireFormat(opened.value, MANIFEST_FORMAT, MANIFEST_FILE);
  const parsed = manifestSchema.safeParse(opened.value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RunError(
    "checkpointDamaged",
    `${MANIFEST_FILE} is of another format (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""})`,
  );
}
