import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

import { onOneLine, WireError } from "../errors/index.js";

/** Certificates, keys and tokens are small; whatever is larger is another file. */
const MAX_BYTES = 1 << 20;

/** Permissions of those who are neither owner nor group: to read, and to write. */
const OTHERS_READ_OR_WRITE = 0o006;

export interface FileNaming {
  /** What the file is, for messages: `key file`. */
  readonly what: string;
  /** Whether the file must be out of reach for other users of the machine; false unless given. */
  readonly isSecret?: boolean;
}

/**
 * The text of a file of certificates, keys or tokens. It is small and on a disk of this machine, so that it is read
 * at once: nothing of a connection can be decided before.
 *
 * @throws {WireError} `credentialFile`, naming the file and what is wrong with it
 */
export function readCredentialFile(path: string, naming: FileNaming): string {
  const { what, isSecret = false } = naming;
  const problem = (text: string, cause?: unknown): WireError =>
    new WireError("credentialFile", onOneLine(`${what} ${path}: ${text}`), { cause });
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    throw problem(reasonOf(error), error);
  }
  try {
    // Of what is open, not of a path that may lead elsewhere by now.
    const { mode, size } = fstatSync(descriptor);
    if (isSecret && (mode & OTHERS_READ_OR_WRITE) !== 0) {
      throw problem("other users of this machine can read or change it; chmod o-rw it");
    }
    if (size > MAX_BYTES) throw problem(`it has ${size} bytes; at most ${MAX_BYTES} are read`);
    const text = readFileSync(descriptor, "utf8");
    if (text.trim() === "") throw problem("it is empty");
    return text;
  } catch (error) {
    throw error instanceof WireError ? error : problem(reasonOf(error), error);
  } finally {
    closeSync(descriptor);
  }
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "no such file";
    case "EACCES":
      return "it may not be read by this user";
    case "EISDIR":
      return "it is a folder";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
