/** Storage in a file system: temporary name, fsync, rename, fsync of the folder. */

import { randomUUID } from "node:crypto";
import * as nodeFileSystem from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { RunError } from "../errors/index.js";
import type { NamedBytes, Storage, WriteOptions } from "./storage.js";

/** The calls that a FileStorage makes: those of node:fs/promises, so that tests can make each one fail. */
export type FileSystem = Pick<
  typeof nodeFileSystem,
  "access" | "mkdir" | "open" | "readdir" | "readFile" | "rename" | "rm"
>;

/** What is being written or removed stands under the first name, what is being replaced under the second. */
const PARTIAL = ".partial";
const REPLACED = ".replaced";
/** Small enough that the event loop does not wait for what is done with one. */
const PART_BYTES = 256 * 1024;
const aside = (path: string, suffix: string): string =>
  join(dirname(path), `.${basename(path)}${suffix}`);
const isTemporary = (name: string): boolean =>
  name.startsWith(".") && (name.endsWith(PARTIAL) || name.endsWith(REPLACED));

/** Storage in a local or mounted file system. */
export class FileStorage implements Storage {
  readonly #fs: FileSystem;
  /**
   * Of this writer's names alone. One that is stopped just before a rename, and wakes when another writer has
   * swept its half file away, finds nothing to rename, rather than the other one's half file.
   */
  readonly #partial = `.${randomUUID().slice(0, 8)}${PARTIAL}`;

  constructor(fileSystem: FileSystem = nodeFileSystem) {
    this.#fs = fileSystem;
  }

  read(path: string): Promise<Uint8Array> {
    return attempt("read", path, () => this.#fs.readFile(path));
  }

  async *readParts(path: string): AsyncGenerator<Uint8Array> {
    const file = await attempt("read", path, () => this.#fs.open(path, "r"));
    try {
      for (;;) {
        const part = Buffer.allocUnsafe(PART_BYTES);
        const { bytesRead } = await attempt("read", path, () => file.read(part, 0, PART_BYTES));
        if (bytesRead === 0) return;
        yield part.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async write(path: string, bytes: Uint8Array, { beforeCommit }: WriteOptions = {}): Promise<void> {
    const temporary = aside(path, this.#partial);
    await attempt("write", path, async () => {
      await this.#orLeaveNothing(temporary, async () => {
        await this.#writeSynced(temporary, bytes);
        await beforeCommit?.();
        await this.#fs.rename(temporary, path);
      });
      await this.#syncFolder(dirname(path));
    });
  }

  async writeFolder(
    path: string,
    files: readonly NamedBytes[],
    { beforeCommit }: WriteOptions = {},
  ): Promise<void> {
    const temporary = aside(path, this.#partial);
    await attempt("write", path, async () => {
      await this.#orLeaveNothing(temporary, async () => {
        await this.#fs.mkdir(temporary);
        for (const { name, bytes } of files) await this.#writeSynced(join(temporary, name), bytes);
        await this.#syncFolder(temporary);
        await beforeCommit?.();
        await this.#moveInto(path, temporary);
      });
      await this.#syncFolder(dirname(path));
    });
  }

  async list(path: string): Promise<string[]> {
    return attempt("list", path, async () => {
      const names = await this.#fs.readdir(path).catch(ifMissing<string[]>([]));
      return names.filter((name) => !isTemporary(name)).sort();
    });
  }

  async remove(path: string): Promise<void> {
    const gone = aside(path, this.#partial);
    await attempt("remove", path, async () => {
      await this.#removeAll(gone);
      // The name goes first: a crash while the files go one by one leaves no half folder under it.
      if (!(await this.#renamed(path, gone))) return;
      await this.#syncFolder(dirname(path));
      await this.#removeAll(gone);
    });
  }

  exists(path: string): Promise<boolean> {
    return attempt("look for", path, () =>
      this.#fs.access(path).then(() => true, ifMissing(false)),
    );
  }

  createFolder(path: string): Promise<string | undefined> {
    return attempt("create", path, async () => {
      const topmost = await this.#fs.mkdir(dirname(path), { recursive: true });
      try {
        await this.#fs.mkdir(path);
      } catch (error) {
        if (codeOf(error) === "EEXIST") return undefined;
        throw error;
      }
      await this.#syncFolder(dirname(path));
      return resolve(topmost ?? path);
    });
  }

  async sweep(path: string): Promise<void> {
    await attempt("clean", path, async () => {
      const names = await this.#fs.readdir(path).catch(ifMissing<string[]>([]));
      for (const name of names.filter(isTemporary)) {
        const original = name.slice(1, -REPLACED.length);
        const isOnlyCopy = name.endsWith(REPLACED) && !names.includes(original);
        if (isOnlyCopy) await this.#fs.rename(join(path, name), join(path, original));
        else await this.#removeAll(join(path, name));
      }
    });
  }

  async #orLeaveNothing(temporary: string, action: () => Promise<void>): Promise<void> {
    await this.#removeAll(temporary);
    try {
      await action();
    } catch (error) {
      // Should this fail as well, the first failure is the one to tell; `sweep` sees to the rest.
      await this.#removeAll(temporary).catch(() => undefined);
      throw error;
    }
  }

  /** A rename puts a file in the place of another, but no folder in that of one with files in it. */
  async #moveInto(path: string, temporary: string): Promise<void> {
    const replaced = aside(path, REPLACED);
    await this.#removeAll(replaced);
    const isReplacement = await this.#renamed(path, replaced);
    try {
      await this.#fs.rename(temporary, path);
    } catch (error) {
      if (isReplacement) await this.#fs.rename(replaced, path);
      throw error;
    }
    if (isReplacement) await this.#removeAll(replaced);
  }

  /** False if there is nothing to rename. */
  async #renamed(from: string, to: string): Promise<boolean> {
    return this.#fs.rename(from, to).then(() => true, ifMissing(false));
  }

  #removeAll(path: string): Promise<void> {
    return this.#fs.rm(path, { recursive: true, force: true });
  }

  async #writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#fs.open(path, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #syncFolder(path: string): Promise<void> {
    const folder = await this.#fs.open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

const ifMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if (codeOf(error) === "ENOENT") return value;
    throw error;
  };

async function attempt<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof RunError) throw error;
    const reason = codeOf(error) ?? (error instanceof Error ? error.message : String(error));
    throw new RunError("storageFailed", `${path}: could not ${verb} it (${reason})`, {
      cause: error,
    });
  }
}
