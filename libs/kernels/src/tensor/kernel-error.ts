/** What can go wrong at the tensor door. */
export type KernelErrorCode =
  /** The backend is not known, not installed, or refused to start. */
  | "backendUnavailable"
  /** A tensor's shape is not the one the kernel's contract states. */
  | "invalidShape";

/** The one error of the tensor door: a code and a one-line message. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: KernelErrorCode;

  constructor(code: KernelErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
