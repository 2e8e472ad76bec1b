import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import type { DataChunk } from "@ostinato/proto";
import { createLogger, systemClock } from "@ostinato/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { loadDataset } from "./data-cache.js";

const { logger } = createLogger({ process: "test" });
const content = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31) % 251);
const digest = createHash("sha256").update(content).digest("hex");

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "worker-cache-"));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

function chunksOf(bytes: Uint8Array, chunkBytes = 4096): DataChunk[] {
  const chunks: DataChunk[] = [];
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    const payload = bytes.subarray(offset, offset + chunkBytes);
    chunks.push({ offset, totalBytes: bytes.length, payload, crc32: crc32(payload) });
  }
  return chunks;
}

/** Loads once; counts how often the coordinator was asked. */
async function load(
  chunks: readonly DataChunk[],
  directory = join(root, "data"),
): Promise<{ bytes: Uint8Array; numFetches: number }> {
  let numFetches = 0;
  const bytes = await loadDataset(digest, {
    directory,
    clock: systemClock,
    logger,
    fetch: async function* () {
      numFetches += 1;
      await Promise.resolve();
      yield* chunks;
    },
  });
  return { bytes, numFetches };
}

describe("loadDataset", () => {
  it("fetches once and then reads the file that its digest names", async () => {
    const first = await load(chunksOf(content));
    expect(first).toEqual({ bytes: content, numFetches: 1 });
    expect(await readdir(join(root, "data"))).toEqual([`${digest}.bin`]);
    expect(new Uint8Array(await readFile(join(root, "data", `${digest}.bin`)))).toEqual(content);
    const second = await load([]);
    expect(second).toEqual({ bytes: content, numFetches: 0 });
  });

  it.each([
    ["one flipped bit", (file: Buffer) => file.fill((file[5000] ?? 0) ^ 1, 5000, 5001)],
    ["a cut end", (file: Buffer) => file.subarray(0, -1)],
    ["nothing in it", () => Buffer.alloc(0)],
  ])("fetches again when the file has %s", async (_, damage) => {
    await load(chunksOf(content));
    const file = join(root, "data", `${digest}.bin`);
    await writeFile(file, damage(await readFile(file)));
    expect(await load(chunksOf(content))).toEqual({ bytes: content, numFetches: 1 });
    expect(new Uint8Array(await readFile(file))).toEqual(content);
  });

  it.each([
    ["is incomplete", chunksOf(content).slice(0, -1)],
    ["has chunks out of order", chunksOf(content).toReversed()],
    ["has a damaged chunk", chunksOf(content).map((chunk) => ({ ...chunk, crc32: 1 }))],
    ["claims less than it brings", chunksOf(content).map((chunk) => ({ ...chunk, totalBytes: 5 }))],
    ["is empty", []],
    ["is another data set", chunksOf(content.toReversed())],
  ])("refuses data that %s and keeps nothing of it", async (_, chunks) => {
    await expect(load(chunks)).rejects.toMatchObject({ code: "dataCorrupt" });
    expect(await readdir(root)).toEqual([]);
  });

  it("takes away what a worker left long ago, and leaves what one writes now", async () => {
    const directory = join(root, "data");
    const orphan = join(directory, ".incoming-dead");
    const empty = join(directory, ".incoming-empty");
    const current = join(directory, ".incoming-alive");
    for (const folder of [orphan, empty, current]) await mkdir(folder, { recursive: true });
    await writeFile(join(orphan, "data.bin"), "half of");
    await writeFile(join(current, "data.bin"), "half of");
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(join(orphan, "data.bin"), longAgo, longAgo);
    // A folder's own time stands still while its file grows.
    for (const folder of [empty, current]) await utimes(folder, longAgo, longAgo);
    await load(chunksOf(content));
    expect((await readdir(directory)).sort()).toEqual([".incoming-alive", `${digest}.bin`]);
  });

  it("serves workers that fill one cache at the same time", async () => {
    const loads = Array.from({ length: 4 }, () => load(chunksOf(content)));
    for (const { bytes } of await Promise.all(loads)) expect(bytes).toEqual(content);
    expect(await readdir(join(root, "data"))).toEqual([`${digest}.bin`]);
    expect(await load([])).toEqual({ bytes: content, numFetches: 0 });
  });

  it("does without a cache where none can be written", async () => {
    await writeFile(join(root, "file"), "");
    const directory = join(root, "file", "data");
    expect(await load(chunksOf(content), directory)).toEqual({ bytes: content, numFetches: 1 });
  });

  it("takes no digest that could name another file", async () => {
    const modules = {
      directory: root,
      clock: systemClock,
      logger,
      fetch: () => expect.unreachable(),
    };
    await expect(loadDataset("../../secret", modules)).rejects.toMatchObject({ code: "refused" });
  });
});
