import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Server,
  ServerDuplexStream,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";

import type { Codec } from "../codec/index.js";
import {
  coordinatorMessageCodec,
  dataChunkCodec,
  fetchDataRequestCodec,
  joinReplyCodec,
  joinRequestCodec,
  statusReplyCodec,
  statusRequestCodec,
  watchEventCodec,
  watchRequestCodec,
  workerMessageCodec,
} from "../codec/index.js";
import { onOneLine, toStatus, WireError } from "../errors/index.js";
import { CallStream } from "./call-stream.js";
import type { Caller } from "./caller.js";
import { callerOf } from "./caller.js";
import type { CoordinatorHandlers } from "./coordinator-handlers.js";
import { MessageBuffers } from "./message-buffers.js";
import { coordinatorService } from "./service-definition.js";
import { untilAborted } from "./until-aborted.js";

export interface ImplementOptions {
  /** Told of every fault of this side's own, which the caller saw as `internal`: anything thrown that
   * is no WireError, and a reply that cannot be encoded. */
  readonly onFault?: (call: string, error: unknown) => void;
}

/** Buffers for messages that are kept, for all streams together. */
const BUFFERS_KEPT = 4;

/** Serves the handlers: bytes to values and back, errors to statuses, back-pressure kept. */
export function implementCoordinator(
  server: Server,
  handlers: CoordinatorHandlers,
  options: ImplementOptions = {},
): void {
  const statusOf = (call: string, error: unknown): ReturnType<typeof toStatus> => {
    if (!(error instanceof WireError) || error.code === "internal") options.onFault?.(call, error);
    return toStatus(error);
  };

  const unary =
    <Request, Reply>(
      name: string,
      codecs: { readonly request: Codec<Request>; readonly reply: Codec<Reply> },
      handle: (request: Request, caller: Caller) => Promise<Reply>,
    ): handleUnaryCall<Buffer, Buffer> =>
    (call, callback) => {
      const answer = async (): Promise<Buffer> =>
        encodeReply(
          codecs.reply,
          await handle(codecs.request.decode(call.request), callerOf(call)),
        );
      answer().then(
        (bytes) => callback(null, bytes),
        (error: unknown) => callback(statusOf(name, error)),
      );
    };

  const streaming =
    <Request, Reply>(
      name: string,
      codecs: { readonly request: Codec<Request>; readonly reply: Codec<Reply> },
      handle: (request: Request, signal: AbortSignal) => AsyncIterable<Reply>,
    ): handleServerStreamingCall<Buffer, Buffer> =>
    (call) => {
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort());
      const answer = async (): Promise<void> => {
        const replies = handle(codecs.request.decode(call.request), gone.signal);
        await pump(replies, codecs.reply, call, gone.signal);
      };
      answer().then(
        () => call.end(),
        (error: unknown) => call.emit("error", statusOf(name, error)),
      );
    };

  const buffers = new MessageBuffers(BUFFERS_KEPT);
  const train = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    const caller = callerOf(call);
    const onFault = (error: unknown): void => options.onFault?.("Train", error);
    const stream = serverStream(call, { peer: caller.peer, buffers, onFault });
    try {
      handlers.train(stream, caller);
    } catch (error) {
      if (!(error instanceof WireError)) options.onFault?.("Train", error);
      stream.end(error instanceof WireError ? error : new WireError("internal", String(error)));
    }
  };

  server.addService(coordinatorService, {
    join: unary("Join", { request: joinRequestCodec, reply: joinReplyCodec }, (request, caller) =>
      handlers.join(request, caller),
    ),
    status: unary("Status", { request: statusRequestCodec, reply: statusReplyCodec }, () =>
      handlers.status(),
    ),
    fetchData: streaming(
      "FetchData",
      { request: fetchDataRequestCodec, reply: dataChunkCodec },
      (request, signal) => handlers.fetchData(request, signal),
    ),
    watch: streaming(
      "Watch",
      { request: watchRequestCodec, reply: watchEventCodec },
      (_request, signal) => handlers.watch(signal),
    ),
    train,
  });
}

/**
 * The bytes of a reply of ours.
 *
 * @throws {WireError} `internal` when there are none: the codec's `badMessage` would blame the caller
 */
function encodeReply<Reply>(codec: Codec<Reply>, reply: Reply): Buffer {
  try {
    return codec.encode(reply);
  } catch (error) {
    throw new WireError("internal", onOneLine(String(error)), { cause: error });
  }
}

/** Sends replies one by one, the next when the transport has taken the one before. */
async function pump<Reply>(
  replies: AsyncIterable<Reply>,
  codec: Codec<Reply>,
  call: ServerWritableStream<Buffer, Buffer>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = replies[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await untilAborted(iterator.next(), signal);
      if (next === "aborted" || next.done === true) return;
      const bytes = encodeReply(codec, next.value);
      const taken = new Promise<void>((resolve) => call.write(bytes, () => resolve()));
      if ((await untilAborted(taken, signal)) === "aborted") return;
    }
  } finally {
    // Not awaited: an iterator that waits for something else returns when that is over.
    iterator.return?.().catch(() => undefined);
  }
}

function serverStream(
  call: ServerDuplexStream<Buffer, Buffer>,
  options: {
    readonly peer: string;
    readonly buffers: MessageBuffers;
    readonly onFault: (error: unknown) => void;
  },
): CallStream<
  ReturnType<typeof workerMessageCodec.decode>,
  ReturnType<typeof coordinatorMessageCodec.decode>
> {
  let isEnding = false;
  // grpc-js takes an emitted error as the status to end the call with, once what is queued is sent.
  const endWith = (error: WireError | undefined): void => {
    isEnding = true;
    if (error === undefined) call.end();
    else call.emit("error", toStatus(error));
  };
  const stream = new CallStream(
    options.peer,
    {
      write: (bytes, taken) => call.write(bytes, taken),
      read: (receive) => call.on("data", receive),
      pause: () => call.pause(),
      resume: () => call.resume(),
      end: endWith,
      cancel: () => endWith(new WireError("cancelled", "the coordinator gave the call up")),
    },
    { incoming: workerMessageCodec, outgoing: coordinatorMessageCodec },
    options.buffers,
    options.onFault,
  );
  call.on("end", () => {
    // A reset stream ends too, and is cancelled some ticks later: only what is still there after
    // them is a worker's regular end.
    // eslint-disable-next-line no-restricted-globals -- a turn of the event loop, not a time
    setImmediate(() => stream.end());
  });
  // Emitted at the end of every call, good or bad.
  call.on("cancelled", () => {
    const isLost = !isEnding;
    stream.closed(
      isLost ? new WireError("unavailable", `${stream.peer} is gone from its stream`) : undefined,
    );
  });
  // Tells the worker that its call has arrived before there is a message to send.
  call.sendMetadata(new Metadata());
  return stream;
}
