import { constants } from "node:buffer";
import { readFile } from "node:fs/promises";

import { DataError } from "../data-error.js";
import { decodeText } from "./decode-text.js";
import { findFiles, unreadable } from "./file-patterns.js";

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
  /** Absolute paths in the order read; a file that two patterns match is read once. */
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
  const patterns = typeof options.files === "string" ? [options.files] : options.files;
  const found = new Set<string>();
  for (const pattern of patterns) {
    for (const file of await findFiles(pattern, options.baseDirectory)) found.add(file);
  }
  if (found.size === 0) {
    throw new DataError("fileNotFound", "the list of files is empty; name at least one file");
  }
  const files = [...found];
  const texts: string[] = [];
  const marked: string[] = [];
  const returned: string[] = [];
  let numBytes = 0;
  for (const file of files) {
    const bytes = await readBytes(file);
    numBytes += bytes.length + 1;
    if (numBytes > constants.MAX_STRING_LENGTH) throw textTooLarge(file);
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
      ...note("byte-order mark dropped", marked),
      ...note("carriage returns (CRLF or CR) read as line feeds", returned),
    ],
  };
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** One sentence for all files, since a book may have hundreds. */
function note(what: string, files: readonly string[]): string[] {
  const [first] = files;
  if (first === undefined) return [];
  const more = files.length === 1 ? "" : ` and ${files.length - 1} more`;
  return [`${what} in ${first}${more}`];
}

function textTooLarge(file: string): DataError {
  return new DataError(
    "textTooLarge",
    `the text exceeds ${constants.MAX_STRING_LENGTH} bytes at ${file}; that is the most that can be read`,
    { file },
  );
}
