/**
 * Text files to one string.
 *
 * @example
 * ```ts
 * const { text, files, notes } = await readTextFiles({
 *   files: ['preface.txt', 'chapters/*.txt'],
 *   baseDirectory: '/home/me/book',
 * });
 * ```
 *
 * @module
 */
export { distinctFiles, note, readTextFiles } from "./text-files.js";
export type { ReadTextFilesOptions, TextFiles } from "./text-files.js";
export { unreadable } from "./unreadable.js";
