import { DataError } from "../data-error.js";

/** The error of a file or folder that the system refuses to read, with the system's reason. */
export function unreadable(file: string, cause: unknown): DataError {
  return new DataError(
    "unreadable",
    `${JSON.stringify(file)} cannot be read (${codeOf(cause)})`,
    { file },
    { cause },
  );
}

const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/** Whether the system's error says that nothing is there. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
