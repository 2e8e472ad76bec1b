import type { ChannelOptions } from "@grpc/grpc-js";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { DEFAULT_DEADLINE_MS, deriveTimeouts } from "@ostinato/runtime/timeouts";

import { MAX_MESSAGE_BYTES } from "../limits.js";

export interface ChannelSettings {
  /** How long a peer may be silent before it counts as gone; 30 s unless given. */
  readonly deadlineMs?: number;
}

/**
 * Bytes a peer may send ahead of its reader, on one stream and on one connection: the 64 KiB of HTTP/2
 * stall a stream of 1 MiB frames many times in each. This is also what one connection can make us buffer,
 * beside one message a stream. Why so many: decision 17.
 */
export const FLOW_CONTROL_WINDOW_BYTES = 4 << 20;

/** gRPC options that both sides share. */
export function channelOptions(settings: ChannelSettings = {}): ChannelOptions {
  const { deadlineMs = DEFAULT_DEADLINE_MS } = settings;
  const { keepaliveMs, keepaliveAnswerMs } = deriveTimeouts(deadlineMs);
  return {
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.keepalive_timeout_ms": keepaliveAnswerMs,
    "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW_BYTES,
  };
}

/**
 * grpc-js writes some errors to the console as well; each of them reaches us as a value, and the
 * console belongs to the application.
 */
export function silenceGrpcConsole(): void {
  setLogVerbosity(logVerbosity.NONE);
}
