/** A checkpoint of a model of a few parameters, and a run directory in memory. */

import { encodeTensorFiles, runPaths } from "@ostinato/run";
import type { CheckpointContent, HashedFile, Manifest, RunDirectory, Storage } from "@ostinato/run";
import { parameterLayout } from "@ostinato/lstm";
import { posix } from "node:path";
import { MODEL } from "./ledger-samples.js";

const layout = parameterLayout(MODEL);
const valuesOf = (sign: number): Float32Array =>
  Float32Array.from({ length: layout.size }, (_, i) => (sign * i) / 3);

export const CONTENT: CheckpointContent = {
  ...{ job: "job-1", step: 3, trajectory: "a".repeat(64), data: "b".repeat(64), model: MODEL },
  profile: { backend: "cpu", version: "1.0", digest: "0123" },
  ledger: { head: "c".repeat(64), offset: 1234 },
  ...{ parameters: valuesOf(1), layout, statistics: new Float64Array(0) },
  optimizer: { stepCount: 3, slots: { m: valuesOf(-1), v: valuesOf(2) } },
  states: new Map([
    [0, Float32Array.of(1, 2, 3)],
    [1, Float32Array.of(4, 5, 6)],
  ]),
  progress: {
    ...{ evaluatedStep: 2, best: { step: 2, loss: 1.5 }, learningRateFactor: 1, stop: null },
    ...{ plateau: null, earlyStopping: null, averaging: null },
  },
};

export const TENSOR_FILES: readonly HashedFile[] = encodeTensorFiles(CONTENT).map((file) => ({
  ...file,
  bytes: Uint8Array.from(file.bytes),
}));

export const MANIFEST: Manifest = {
  ...{ format: 1, job: CONTENT.job, step: CONTENT.step, trajectory: CONTENT.trajectory },
  ...{ data: CONTENT.data, model: CONTENT.model, profile: CONTENT.profile, ledger: CONTENT.ledger },
  ...{
    vocabulary: null,
    optimizer: { stepCount: 3, slots: ["m", "v"] },
    progress: CONTENT.progress,
  },
  files: Object.fromEntries(
    TENSOR_FILES.map(({ name, bytes, sha256 }) => [name, { bytes: bytes.length, sha256 }]),
  ) as Manifest["files"],
};

/** A run of which there are these files in `checkpoints/` and no others. */
export function runOf(files: Readonly<Record<string, Uint8Array>>): RunDirectory {
  const paths = runPaths("run");
  const bytesAt = (path: string): Uint8Array | undefined => {
    const name = posix.relative(paths.checkpoints, path);
    return Object.hasOwn(files, name) ? files[name] : undefined;
  };
  const storage: Pick<Storage, "read" | "exists"> = {
    exists: (path) => Promise.resolve(bytesAt(path) !== undefined),
    read: (path) => Promise.resolve(bytesAt(path) ?? new Uint8Array(0)),
  };
  // Reading a checkpoint asks for nothing else.
  return { paths, storage, vocabularySha256: null } as unknown as RunDirectory;
}
