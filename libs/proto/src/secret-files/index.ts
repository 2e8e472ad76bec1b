/**
 * Files of certificates, keys and tokens: read with all their faults in words, and read again when they change.
 *
 * @example
 * const files = new WatchedFiles({ paths: [path], read: () => readTokenFile(path), onReloaded, onRefused });
 * files.value.roleOf(token);
 */
export type { FileNaming } from "./read-file.js";
export { readCredentialFile } from "./read-file.js";
export type { WatchedFilesOptions } from "./watched-files.js";
export { WatchedFiles } from "./watched-files.js";
