/** What can be wrong with a command itself; the packages beneath have errors of their own. */
export type CliErrorCode =
  /** The command line is not one of those that --help lists. */
  | "usage"
  /** The text of a prompt or of a split is not usable. */
  | "unusableText"
  /** The model of a run is not of the kind that the command needs. */
  | "unusableModel"
  /** A run computed with a backend that this program does not have. */
  | "unknownBackend";

/** The one error of this package: a code to branch on, and one line for a person. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
