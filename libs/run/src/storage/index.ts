/**
 * Where checkpoints and small files are kept: whole or not at all.
 *
 * @example
 * ```ts
 * const storage = new FileStorage();
 * await storage.write("runs/book/end.json", bytes); // never half of it, even if the machine goes down
 * ```
 *
 * @module
 */
export { FileStorage } from "./file-storage.js";
export type { FileSystem } from "./file-storage.js";
export { guardStorage } from "./guarded-storage.js";
export { syncFolder } from "./sync-folder.js";
export type { NamedBytes, Storage, WriteOptions } from "./storage.js";
