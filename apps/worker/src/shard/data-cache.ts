/** The encoded data set, fetched once and kept on disk under its digest. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import type { DataChunk } from "@ostinato/proto";
import type { Logger } from "@ostinato/runtime";

import { messageOf, WorkerError } from "../errors/index.js";

export interface DataCacheModules {
  /** Where `<digest>.bin` files are; made when missing. */
  readonly directory: string;
  readonly fetch: (digest: string) => AsyncIterable<DataChunk>;
  readonly logger: Logger;
}

/**
 * The bytes whose SHA-256 is `digest`: from the cache when its file verifies, else fetched.
 *
 * A cache that cannot be written (a read-only file system) is worth a warning, not a failure.
 *
 * @throws WorkerError `dataCorrupt` when what was fetched does not have the digest; whatever the
 *   fetch throws
 */
export async function loadDataset(digest: string, modules: DataCacheModules): Promise<Uint8Array> {
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new WorkerError("protocol", `data digest "${digest}" is not a SHA-256 in hex`);
  }
  const file = join(modules.directory, `${digest}.bin`);
  const cached = await readVerified(file, digest, modules.logger);
  if (cached !== undefined) return cached;
  const bytes = await receive(digest, modules.fetch(digest));
  try {
    await writeAtomically(modules.directory, file, bytes);
  } catch (error) {
    modules.logger.warn({ file, reason: messageOf(error) }, "the data set cannot be cached");
  }
  return bytes;
}

async function readVerified(
  file: string,
  digest: string,
  logger: Logger,
): Promise<Uint8Array | undefined> {
  let bytes: Uint8Array;
  try {
    // In chunks: hashing a large file at one go would block the event loop.
    bytes = new Uint8Array((await stat(file)).size);
    const hash = createHash("sha256");
    let offset = 0;
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      const part = chunk as Buffer;
      hash.update(part);
      bytes.set(part, offset);
      offset += part.byteLength;
    }
    if (hash.digest("hex") === digest) return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    logger.warn({ file, reason: messageOf(error) }, "the cached data set cannot be read");
    return undefined;
  }
  logger.warn({ file }, "the cached data set is damaged and is fetched again");
  return undefined;
}

async function receive(digest: string, chunks: AsyncIterable<DataChunk>): Promise<Uint8Array> {
  const hash = createHash("sha256");
  let bytes: Uint8Array | undefined;
  let offset = 0;
  for await (const chunk of chunks) {
    bytes ??= new Uint8Array(chunk.totalBytes);
    const end = offset + chunk.payload.byteLength;
    if (
      chunk.totalBytes !== bytes.byteLength ||
      chunk.offset !== offset ||
      end > bytes.byteLength ||
      crc32(chunk.payload) !== chunk.crc32
    ) {
      throw new WorkerError("dataCorrupt", `data set ${digest}: the chunk at ${offset} is damaged`);
    }
    hash.update(chunk.payload);
    bytes.set(chunk.payload, offset);
    offset = end;
  }
  if (bytes?.byteLength !== offset || hash.digest("hex") !== digest) {
    throw new WorkerError(
      "dataCorrupt",
      `data set ${digest}: the ${offset} bytes received do not have this digest`,
    );
  }
  return bytes;
}

/** A folder of its own makes the temporary name unique among workers that share the cache. */
async function writeAtomically(directory: string, file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(directory, { recursive: true });
  const folder = await mkdtemp(join(directory, ".incoming-"));
  try {
    const temporary = join(folder, "data.bin");
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
