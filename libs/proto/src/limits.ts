/**
 * Raised when a message changes its meaning; a worker and a coordinator must agree on it. It stays 1 up to
 * the first release, as nothing speaks an earlier protocol: both sides come from one build until then.
 */
export const PROTOCOL_VERSION = 1;

/** Bytes of the payload of one frame or data chunk: 1 MiB. */
export const MAX_FRAME_BYTES = 1 << 20;

/** Values that a frame covers, with the rows that it leaves out: 4 MiB of float32. */
export const MAX_FRAME_VALUES = 1 << 20;

/** Rows that a frame covers, with those that it leaves out: their mask has at most 32 KiB. */
export const MAX_FRAME_ROWS = 1 << 18;

/** Bytes of any encoded message, either way: one frame and its envelope, or a message of text. */
export const MAX_MESSAGE_BYTES = MAX_FRAME_BYTES + (64 << 10);

/**
 * Bytes of a request, and of the first message of a stream: who joins sends some hundred bytes, and a name of the greatest
 * length 12 KiB. What is large comes in replies, and from workers that have attached.
 */
export const MAX_REQUEST_BYTES = 32 << 10;

/** UTF-16 code units of a name, an id or a line of prose. */
export const MAX_TEXT_LENGTH = 4096;

/** UTF-16 code units of the run config and of the model spec, each; both fit into one message. */
export const MAX_JSON_LENGTH = 128 << 10;

/** Entries of any repeated field. */
export const MAX_LIST_LENGTH = 1 << 16;

/**
 * What one peer, which is one address, may have and do at once. Many workers may be behind one address: these
 * bounds are far from what a cluster does, and far from what takes a coordinator down.
 */
export const PEER_LIMITS = {
  /** Open connections, of all peers together. */
  connections: 2048,
  connectionsOfAddress: 512,
  /** Calls and streams open at once on one connection. */
  streamsOfConnection: 32,
  /** Train streams of one address open at once. */
  openStreams: 512,
  /** Calls of any other method, of one address and open at once: each of its workers may fetch data. */
  openCalls: 512,
  /** Calls of a method of the health service, of one address and open at once: they need no token. */
  openHealthCalls: 64,
  connects: { burst: 512, perSecond: 64 },
  calls: { burst: 1024, perSecond: 256 },
  joins: { burst: 128, perSecond: 16 },
} as const;
