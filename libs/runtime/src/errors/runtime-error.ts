/**
 * - `portInUse`, `cannotListen`: the ops server's address cannot be had
 * - `logFile`: the log file cannot be opened
 */
export type RuntimeErrorCode = "portInUse" | "cannotListen" | "logFile";

/** The one error of this package. Match on `code`; `message` is one line for people. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
