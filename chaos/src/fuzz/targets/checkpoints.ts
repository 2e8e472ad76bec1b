/** safetensors, manifest.json, latest.json, and whole checkpoints with contents of any kind. */

import {
  decodeManifest,
  decodeSafetensors,
  encodeManifest,
  encodeSafetensors,
  encodeTensorFiles,
  loadCheckpoint,
  readPointer,
  RunError,
} from "@ostinato/run";
import type { FloatTensor, Manifest } from "@ostinato/run";
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { bytesOf, parserTarget, plainBytes, requireThat, textOf } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import { CONTENT, MANIFEST, runOf, TENSOR_FILES } from "./checkpoint-samples.js";
import { jsonOf, objectIn, sealed } from "./sealed.js";
import type { TargetTable } from "./table.js";

const refusals = [RunError];
const WORDS = [
  "__metadata__",
  "__proto__",
  "dtype",
  "shape",
  "data_offsets",
  "F32",
  "F64",
  "BF16",
  "leaf.",
  "hash",
  "\\n",
  "{",
  "}",
  "[0,0]",
];

function safetensors(): FuzzTarget {
  return parserTarget({
    ...{ name: "safetensors", words: WORDS, refusals, parse: decodeSafetensors },
    seeds: [
      plainBytes(encodeSafetensors([{ name: "bias", shape: [2], values: Float32Array.of(1, 2) }])),
      plainBytes(
        encodeSafetensors(
          [
            { name: "a", shape: [2, 1], values: Float64Array.of(1, 2) },
            { name: "b", shape: [], values: Float32Array.of(3) },
            { name: "c", shape: [0, 4], values: new Float32Array(0) },
          ],
          { format: "ostinato" },
        ),
      ),
    ],
    check: ({ tensors, metadata }, input) => {
      const numBytes = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
      const header = Number(new DataView(input.buffer, input.byteOffset).getBigUint64(0, true));
      requireThat(8 + header + numBytes === input.length, () => "bytes of no tensor");
      const floats = [...tensors].flatMap(([name, { type, shape, bytes }]): FloatTensor[] => {
        const { buffer } = plainBytes(bytes);
        if (type === "F32") return [{ name, shape, values: new Float32Array(buffer) }];
        return type === "F64" ? [{ name, shape, values: new Float64Array(buffer) }] : [];
      });
      if (floats.length < tensors.size) return;
      const again = decodeSafetensors(plainBytes(encodeSafetensors(floats, metadata)));
      requireThat(
        [...tensors].every(([name, tensor]) =>
          isDeepStrictEqual(again.tensors.get(name), tensor),
        ) && isDeepStrictEqual(again.metadata, metadata),
        () => "tensors change when they are written again",
      );
    },
  });
}

const requireStable = (manifest: Manifest): void => {
  const bytes = encodeManifest(manifest);
  const again = encodeManifest(decodeManifest(plainBytes(bytes)));
  requireThat(
    Buffer.compare(again, bytes) === 0,
    () => "a manifest changes when it is written again",
  );
};

function manifest(): FuzzTarget {
  return parserTarget({
    ...{ name: "manifest", words: WORDS, refusals, parse: decodeManifest, check: requireStable },
    seeds: [plainBytes(encodeManifest(MANIFEST))],
  });
}

/** Any object behind a hash that holds. */
function manifestContent(): FuzzTarget {
  return parserTarget({
    ...{ name: "manifestContent", words: WORDS, refusals, check: requireStable },
    seeds: [JSON.stringify(MANIFEST)],
    parse: (input) => {
      const json = jsonOf(objectIn(textOf(input)) ?? {});
      return decodeManifest(bytesOf(`${sealed(json ?? "{}").line}\n`));
    },
  });
}

function pointer(): FuzzTarget {
  return parserTarget({
    ...{ name: "pointer", words: ["checkpoint", "step", "loss", "step-00000012", "\\n"], refusals },
    seeds: [
      '{"checkpoint":"step-00000012","step":12}',
      '{"checkpoint":"step-00000003","step":3,"loss":1.5}\n',
    ],
    parse: (input) => readPointer(runOf({ "best.json": input }), "best"),
    check: (found) => {
      const { step = -1, loss = 0 } = found ?? {};
      requireThat(
        Number.isSafeInteger(step) && step >= 0 && Number.isFinite(loss),
        () => "no checkpoint",
      );
    },
  });
}

/** A checkpoint one of whose files is another one; its manifest is of these files. The first byte says which file. */
function checkpoint(): FuzzTarget {
  return parserTarget({
    ...{ name: "checkpoint", words: WORDS, refusals },
    seeds: TENSOR_FILES.map(({ bytes }, index) => Uint8Array.of(index, ...bytes)),
    parse: async (input) => {
      const changed = (input[0] ?? 0) % TENSOR_FILES.length;
      const files = TENSOR_FILES.map(({ name, bytes }, index) => ({
        name,
        bytes: index === changed ? input.slice(1) : bytes,
      }));
      return await loadCheckpoint(runOf(checkpointOf(files)), MANIFEST.step);
    },
    check: async (content) => {
      const files = encodeTensorFiles(content).map(({ name, bytes }) => ({
        name,
        bytes: plainBytes(bytes),
      }));
      const again = await loadCheckpoint(runOf(checkpointOf(files)), MANIFEST.step);
      requireThat(
        isDeepStrictEqual(again, content),
        () => "a checkpoint changes when it is written again",
      );
      requireThat(
        [...content.states.keys()].every((leaf) => Number.isInteger(leaf) && leaf >= 0) &&
          content.parameters.length === CONTENT.parameters.length,
        () => "a checkpoint of what cannot be",
      );
    },
  });
}

function checkpointOf(
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Record<string, Uint8Array> {
  const entries = files.map(({ name, bytes }) => [
    name,
    { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") },
  ]);
  const described = { ...MANIFEST, files: Object.fromEntries(entries) as Manifest["files"] };
  const folder = "step-00000003/";
  return Object.fromEntries([
    ...files.map(({ name, bytes }) => [folder + name, bytes] as const),
    [`${folder}manifest.json`, encodeManifest(described)] as const,
  ]);
}

export const CHECKPOINT_TARGETS = {
  safetensors,
  manifest,
  manifestContent,
  pointer,
  checkpoint,
} as const satisfies TargetTable;
