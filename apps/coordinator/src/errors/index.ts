/** What can go wrong in a coordinator, as a code with one line for people. */

export type CoordinatorErrorCode =
  "replayMismatch" | "nonFinite" | "leafFailed" | "workersDisagree" | "stopped" | "internal";

export class CoordinatorError extends Error {
  readonly code: CoordinatorErrorCode;

  constructor(code: CoordinatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CoordinatorError";
    this.code = code;
  }
}
