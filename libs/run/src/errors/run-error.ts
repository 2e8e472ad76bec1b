import { onOneLine } from "@ostinato/data";

/** What can go wrong with configs, run directories, ledgers and checkpoints. */
export type RunErrorCode =
  /** There is no readable config file at the given path. */
  | "configNotFound"
  /** The config file is not UTF-8 or not YAML. */
  | "configSyntax"
  /** A `--set` argument is not of the form key=value, or its key leads through a plain value. */
  | "badOverride"
  /** The config names a key that does not exist. */
  | "unknownKey"
  /** The config lacks a key that has no default. */
  | "missingKey"
  /** A value is of another type than its key takes. */
  | "wrongType"
  /** A value is of the right type, but not one that its key allows. */
  | "outOfRange"
  /** The folder given for a new run holds something already, or another coordinator works in it. */
  | "runDirectoryInUse"
  /** Another coordinator works in the run directory as its next incarnation. */
  | "incarnationLost"
  /** The folder given for an old run holds none. */
  | "notARun"
  /** A resume was asked for with another value of a trajectory key. */
  | "trajectoryChanged"
  /** The text is not the one that the run began with. */
  | "dataChanged"
  /** A checkpoint is whole, but of another model, job or data set. */
  | "checkpointMismatch"
  /** No checkpoint can be used. */
  | "noCheckpoint"
  /** A file of the run is whole, and of a format that a later version of this program writes. */
  | "newerFormat"
  /** A checkpoint's bytes are not those that were written. */
  | "checkpointDamaged"
  /** A ledger line was changed, cut or doubled. */
  | "ledgerCorrupt"
  /** Bytes are no safetensors file, or not one of the tensors asked for. */
  | "tensorsCorrupt"
  /** The vocabulary of a run cannot be read. */
  | "vocabularyDamaged"
  /** The end record of a run cannot be read. */
  | "endRecordDamaged"
  /** A file or folder could not be read or written. */
  | "storageFailed";

/** The codes that a person repairs in the command or the config: exit code 2, not 1. */
const USAGE_ERRORS: Readonly<Record<RunErrorCode, boolean>> = {
  configNotFound: true,
  configSyntax: true,
  badOverride: true,
  unknownKey: true,
  missingKey: true,
  wrongType: true,
  outOfRange: true,
  runDirectoryInUse: true,
  incarnationLost: false,
  notARun: true,
  trajectoryChanged: true,
  dataChanged: true,
  checkpointMismatch: true,
  noCheckpoint: true,
  newerFormat: true,
  checkpointDamaged: false,
  ledgerCorrupt: false,
  tensorsCorrupt: false,
  vocabularyDamaged: false,
  endRecordDamaged: false,
  storageFailed: false,
};

/**
 * The one error of this package: a code to branch on, and one line for a person, whatever names and values of a file
 * it was given with.
 */
export class RunError extends Error {
  override readonly name = "RunError";
  readonly code: RunErrorCode;

  constructor(code: RunErrorCode, message: string, options?: ErrorOptions) {
    super(onOneLine(message), options);
    this.code = code;
  }
}

/** Whether an error of this code is the command's or the config's fault (exit code 2). */
export function isUsageError(code: RunErrorCode): boolean {
  return USAGE_ERRORS[code];
}
