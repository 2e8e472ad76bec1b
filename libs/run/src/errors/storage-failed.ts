import { RunError } from "./run-error.js";

/** The error of a file that the system does not let us write, with the system's reason. */
export function storageFailed(path: string, cause: unknown): RunError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new RunError("storageFailed", `${path}: cannot be written (${reason})`, { cause });
}
