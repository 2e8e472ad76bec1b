/**
 * The encoded data set, fetched once and kept on disk under its digest.
 *
 * Data sets of past runs stay: nothing here knows which will be asked for again, and each file can
 * be removed at any time.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import type { DataChunk } from "@ostinato/proto";
import { crc32 } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";
import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";

import { messageOf, WorkerError } from "../errors/index.js";

const INCOMING = ".incoming-";
const TEMPORARY = "data.bin";

export interface DataCacheModules {
  /** Where `<digest>.bin` files are; made when missing. */
  readonly directory: string;
  readonly fetch: (digest: string) => AsyncIterable<DataChunk>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The bytes whose SHA-256 is `digest`: from the cache when its file verifies, else fetched.
 *
 * A cache that cannot be written (a read-only file system) is worth a warning, not a failure.
 *
 * @throws WorkerError `refused` for a digest that is none, `dataCorrupt` when what was fetched does
 *   not have it; whatever the fetch throws
 */
export async function loadDataset(digest: string, modules: DataCacheModules): Promise<Uint8Array> {
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new WorkerError("refused", `data digest "${digest}" is not a SHA-256 in hex`);
  }
  const file = join(modules.directory, `${digest}.bin`);
  const cached = await readVerified(file, digest, modules.logger);
  if (cached !== undefined) return cached;
  const bytes = await receive(digest, modules.fetch(digest));
  try {
    await writeAtomically(modules, file, bytes);
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

/** Takes away what workers left that died while they wrote. What cannot be had stays. */
async function removeOrphans({ directory, clock, logger }: DataCacheModules): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(INCOMING));
  for (const name of names) {
    const folder = join(directory, name);
    try {
      // The file's time moves while it is written; an empty folder's is that of its making.
      const { mtimeMs } = await stat(join(folder, TEMPORARY)).catch(() => stat(folder));
      if (clock.wallTime().getTime() - mtimeMs <= FIXED_TIMEOUTS.orphanedDataMs) continue;
      await rm(folder, { recursive: true, force: true });
    } catch (error) {
      logger.debug({ folder, reason: messageOf(error) }, "an unfinished data set stays");
    }
  }
}

/** A folder of its own makes the temporary name unique among workers that share the cache. */
async function writeAtomically(
  modules: DataCacheModules,
  file: string,
  bytes: Uint8Array,
): Promise<void> {
  const { directory } = modules;
  await mkdir(directory, { recursive: true });
  await removeOrphans(modules);
  const folder = await mkdtemp(join(directory, INCOMING));
  try {
    const temporary = join(folder, TEMPORARY);
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
