import { onOneLine } from "./one-line.js";

/**
 * What can go wrong on the wire.
 *
 * Refusals of a coordinator:
 * - `protocolVersion`, `profileRefused`: this worker cannot take part in this run
 * - `unknownWorker`, `streamRefused`: the Train stream's identity is not known, or in use
 * - `unknownData`: no data set of this digest here
 * - `shuttingDown`: no more work is handed out
 * - `unauthenticated`, `forbidden`: no token that is known here, or one that does not allow this call
 * - `resourceExhausted`: more than one peer may have or do at once; later it may be served
 *
 * Bytes that are not what they should be:
 * - `badMessage`: no message, none with a body, or a field outside its range
 * - `messageTooLarge`: above `MAX_MESSAGE_BYTES`
 * - `checksum`, `frameTooLarge`, `frameSize`, `frameOutOfBounds`: a tensor frame
 *
 * The connection:
 * - `unavailable`: nobody there, or gone in the middle of the call
 * - `deadlineExceeded`, `cancelled`: given up by the caller
 *
 * This process:
 * - `credentialFile`: a file of certificates, keys or tokens that cannot be used
 * - `invalidAddress`, `notLoopback`, `portInUse`, `cannotListen`: a server cannot listen there
 * - `sharedMemory`: a segment that can't be made, written or read
 * - `bigEndian`: a machine whose floats are not little-endian
 * - `internal`: a fault of our own; its cause stays in the process where it happened
 */
export type WireErrorCode =
  | "protocolVersion"
  | "profileRefused"
  | "unknownWorker"
  | "streamRefused"
  | "unknownData"
  | "shuttingDown"
  | "unauthenticated"
  | "forbidden"
  | "resourceExhausted"
  | "badMessage"
  | "messageTooLarge"
  | "checksum"
  | "frameTooLarge"
  | "frameSize"
  | "frameOutOfBounds"
  | "unavailable"
  | "deadlineExceeded"
  | "cancelled"
  | "credentialFile"
  | "invalidAddress"
  | "notLoopback"
  | "portInUse"
  | "cannotListen"
  | "sharedMemory"
  | "bigEndian"
  | "internal";

/**
 * The one error of this package. Match on `code`; `message` is one line for people, whatever names and values of a
 * peer's it was given with (see `onOneLine`).
 */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(onOneLine(message), options);
    this.code = code;
  }
}
