/** Where checkpoints and small files are kept: whole or not at all. */

/** A file of a folder that is written in one go. */
export interface NamedBytes {
  /** Without a slash. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface WriteOptions {
  /** Runs when every byte is safe and before file or folder becomes visible; a failure leaves nothing. */
  readonly beforeCommit?: () => Promise<void>;
}

/**
 * What a place that keeps runs must be able to do, and no more, so that an object store can be one. A
 * reader never sees half of what `write` and `writeFolder` write, even if the machine goes down in the
 * middle. One writer a path; what another writer left unfinished, one that was thought dead, never comes to
 * light once `sweep` has gone over it. Each method throws RunError 'storageFailed', naming the path.
 */
export interface Storage {
  /** The bytes of a file. */
  read(path: string): Promise<Uint8Array>;
  /** The bytes of a file, some at a time: for one that need not be in memory as a whole. */
  readParts(path: string): AsyncIterable<Uint8Array>;
  /** Creates or replaces a file. */
  write(path: string, bytes: Uint8Array, options?: WriteOptions): Promise<void>;
  /**
   * Creates or replaces a folder with exactly these files. The last one is written last: where a folder
   * cannot appear at once, its presence tells that the others are there.
   */
  writeFolder(path: string, files: readonly NamedBytes[], options?: WriteOptions): Promise<void>;
  /** Names in a folder, sorted; none if there is no such folder. */
  list(path: string): Promise<string[]>;
  /** Removes a file or a folder with all in it; nothing happens if there is none. */
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /**
   * Creates an empty folder and its parents. Resolves to the topmost folder that had to be created, as an
   * absolute path; undefined if something is at `path` already.
   */
  createFolder(path: string): Promise<string | undefined>;
  /** Removes what a crash left behind in a folder under temporary names. */
  sweep(path: string): Promise<void>;
}
