import { constants } from "node:buffer";
import { readFile, realpath } from "node:fs/promises";

import { DataError } from "../data-error.js";
import { decodeText } from "./decode-text.js";
import { findFiles } from "./file-patterns.js";
import { unreadable } from "./unreadable.js";
import { utf16Length } from "./utf8.js";

export interface ReadTextFilesOptions {
  /**
   * Paths, globs, or `npm:PACKAGE/PATTERN` for files of an installed package. Several are read in the
   * order given, the files of one pattern in natural order (chapter_2 before chapter_10) of their paths.
   */
  readonly files: string | readonly string[];
  /** Where relative paths and packages are looked up. */
  readonly baseDirectory: string;
}

export interface TextFiles {
  /** The files one after the other, each but the last ending with a line feed. */
  readonly text: string;
  /**
   * Absolute paths in the order read. A file that two patterns match, or that a symbolic link leads to
   * as well, is read once, by the path that comes first.
   */
  readonly files: readonly string[];
  /** What was changed while reading, a sentence each, for the log. */
  readonly notes: readonly string[];
}

/**
 * Reads a text. It must be UTF-8; byte-order marks are dropped, CRLF and lone CR become line feeds.
 *
 * @throws DataError 'fileNotFound' | 'unreadable' | 'emptyFile' | 'invalidUtf8' | 'textTooLarge' |
 *   'invalidPattern' | 'packageNotFound'
 */
export async function readTextFiles(options: ReadTextFilesOptions): Promise<TextFiles> {
  const { files, repeated } = await distinctFiles(options);
  const texts: string[] = [];
  const marked: string[] = [];
  const returned: string[] = [];
  let numUnits = 0;
  for (const file of files) {
    const bytes = await readBytes(file);
    numUnits += utf16Length(bytes) + 1;
    if (numUnits > constants.MAX_STRING_LENGTH) throw textTooLarge(file);
    const decoded = decodeText(bytes, file);
    if (decoded.droppedByteOrderMark) marked.push(file);
    if (decoded.replacedCarriageReturns) returned.push(file);
    const isLast = texts.length === files.length - 1;
    texts.push(isLast || decoded.text.endsWith("\n") ? decoded.text : `${decoded.text}\n`);
  }
  return {
    text: texts.join(""),
    files,
    notes: [
      ...note("not read again, being a file read by another path:", repeated),
      ...note("byte-order mark dropped in", marked),
      ...note("carriage returns (CRLF or CR) read as line feeds in", returned),
    ],
  };
}

/** The files of all patterns by their first path, and further paths to the same files. */
export async function distinctFiles({
  files,
  baseDirectory,
}: ReadTextFilesOptions): Promise<{ files: readonly string[]; repeated: readonly string[] }> {
  const found = new Map<string, string>();
  const repeated = new Set<string>();
  for (const pattern of typeof files === "string" ? [files] : files) {
    for (const file of await findFiles(pattern, baseDirectory)) {
      const realFile = await realPathOf(file);
      const known = found.get(realFile);
      if (known === undefined) found.set(realFile, file);
      else if (known !== file) repeated.add(file);
    }
  }
  if (found.size === 0) {
    throw new DataError("fileNotFound", "the list of files is empty; name at least one file");
  }
  return { files: [...found.values()], repeated: [...repeated] };
}

async function realPathOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** One sentence for all files, since a book may have hundreds. */
export function note(what: string, files: readonly string[]): string[] {
  const [first] = files;
  if (first === undefined) return [];
  const more = files.length === 1 ? "" : ` and ${files.length - 1} more`;
  return [`${what} ${JSON.stringify(first)}${more}`];
}

function textTooLarge(file: string): DataError {
  return new DataError(
    "textTooLarge",
    `the text exceeds ${constants.MAX_STRING_LENGTH} UTF-16 units at ${JSON.stringify(file)}; that is the most that can be read`,
    { file },
  );
}
