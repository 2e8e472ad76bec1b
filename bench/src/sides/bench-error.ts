/**
 * - `sideFailed`: one of those compared can't be measured.
 * - `peerMissing`: there is no Python with the pinned PyTorch.
 * - `invalidOption`: of the command line.
 */
export type BenchErrorCode = "sideFailed" | "peerMissing" | "invalidOption";

/** Its message is one line for people: what, where, what is needed. */
export class BenchError extends Error {
  override readonly name = "BenchError";
  readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
