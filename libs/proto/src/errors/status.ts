import type { StatusObject } from "@grpc/grpc-js";
import { Metadata, status } from "@grpc/grpc-js";

import { onOneLine } from "./one-line.js";
import type { WireErrorCode } from "./wire-error.js";
import { WireError } from "./wire-error.js";

/** The one table from our codes to gRPC's; the code itself travels beside, in a trailer. */
export const ERROR_STATUS: Readonly<Record<WireErrorCode, status>> = {
  protocolVersion: status.FAILED_PRECONDITION,
  profileRefused: status.FAILED_PRECONDITION,
  unknownWorker: status.NOT_FOUND,
  streamRefused: status.FAILED_PRECONDITION,
  unknownData: status.NOT_FOUND,
  shuttingDown: status.UNAVAILABLE,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  resourceExhausted: status.RESOURCE_EXHAUSTED,
  badMessage: status.INVALID_ARGUMENT,
  messageTooLarge: status.RESOURCE_EXHAUSTED,
  checksum: status.DATA_LOSS,
  frameTooLarge: status.INVALID_ARGUMENT,
  frameSize: status.INVALID_ARGUMENT,
  frameOutOfBounds: status.OUT_OF_RANGE,
  unavailable: status.UNAVAILABLE,
  deadlineExceeded: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  credentialFile: status.INTERNAL,
  invalidAddress: status.INTERNAL,
  notLoopback: status.INTERNAL,
  portInUse: status.INTERNAL,
  cannotListen: status.INTERNAL,
  sharedMemory: status.FAILED_PRECONDITION,
  bigEndian: status.INTERNAL,
  internal: status.INTERNAL,
};

/** For a status that carries no code of ours: from gRPC itself, or from another kind of server. */
const STATUS_CODE: Readonly<Partial<Record<status, WireErrorCode>>> = {
  [status.CANCELLED]: "cancelled",
  [status.INVALID_ARGUMENT]: "badMessage",
  [status.DEADLINE_EXCEEDED]: "deadlineExceeded",
  [status.RESOURCE_EXHAUSTED]: "messageTooLarge",
  [status.UNIMPLEMENTED]: "protocolVersion",
  [status.UNAVAILABLE]: "unavailable",
  [status.UNAUTHENTICATED]: "unauthenticated",
  [status.PERMISSION_DENIED]: "forbidden",
};

const CODE_KEY = "ostinato-code";
const INTERNAL_TEXT = "internal error; the log of the process that answered says more";

/**
 * What a gRPC call ends with because of `error`. Only a WireError's text crosses the wire, made one
 * line; anything else becomes `internal` with a generic text, as it may name files or secrets.
 */
export function toStatus(error: unknown): StatusObject {
  const wire =
    error instanceof WireError && error.code !== "internal"
      ? error
      : new WireError("internal", INTERNAL_TEXT);
  const metadata = new Metadata();
  metadata.set(CODE_KEY, wire.code);
  return { code: ERROR_STATUS[wire.code], details: onOneLine(wire.message), metadata };
}

/** The error that a failed gRPC call stands for; a WireError is returned as it is. */
export function fromStatus(error: unknown): WireError {
  if (error instanceof WireError) return error;
  if (!isServiceError(error)) {
    return new WireError("internal", onOneLine(String(error)), { cause: error });
  }
  const [sent] = error.metadata?.get(CODE_KEY) ?? [];
  const code = isWireErrorCode(sent) ? sent : (STATUS_CODE[error.code] ?? "internal");
  return new WireError(code, onOneLine(error.details), { cause: error });
}

function isWireErrorCode(value: unknown): value is WireErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_STATUS, value);
}

function isServiceError(
  error: unknown,
): error is { readonly code: status; readonly details: string; readonly metadata?: Metadata } {
  return (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    typeof error.code === "number" &&
    "details" in error &&
    typeof error.details === "string"
  );
}
