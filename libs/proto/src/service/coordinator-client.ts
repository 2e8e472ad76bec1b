import type { ClientReadableStream } from "@grpc/grpc-js";
import { Client, Metadata, status } from "@grpc/grpc-js";

import { DEFAULT_DEADLINE_MS, deriveTimeouts } from "@ostinato/runtime/timeouts";

import { authorizationOf } from "../access/index.js";
import type { ChannelSettings } from "../channel/index.js";
import {
  channelOptions,
  formatEndpoint,
  isLocal,
  parseEndpoint,
  silenceGrpcConsole,
} from "../channel/index.js";
import type {
  Codec,
  CoordinatorMessage,
  DataChunk,
  JoinReply,
  JoinRequest,
  StatusReply,
  WatchEvent,
  WorkerMessage,
} from "../codec/index.js";
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
import { fromStatus, WireError } from "../errors/index.js";
import { CallStream } from "./call-stream.js";
import { MessageBuffers } from "./message-buffers.js";
import type { ClientSecurity } from "./client-security.js";
import { openClientSecurity } from "./client-security.js";
import { coordinatorService } from "./service-definition.js";
import type { TrainStream } from "./train-stream.js";

export interface CallOptions {
  /** How long to wait for the answer, rounded to whole milliseconds; for ever unless given. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** A coordinator as its callers see it. Every error is a WireError. */
export interface CoordinatorClient {
  readonly address: string;
  /** @throws {WireError} a refusal of the coordinator, or `unavailable`, `deadlineExceeded`, `cancelled` */
  join(request: JoinRequest, options?: CallOptions): Promise<JoinReply>;
  status(options?: CallOptions): Promise<StatusReply>;
  /** The encoded data set in order; to stop iterating gives the call up. */
  fetchData(digest: string, signal?: AbortSignal): AsyncIterable<DataChunk>;
  /** What happens from now on until the run ends; to stop iterating gives the call up. */
  watch(signal?: AbortSignal): AsyncIterable<WatchEvent>;
  /** Opens the stream; a failure to do so is told by its `onClosed`. */
  train(): TrainStream<CoordinatorMessage, WorkerMessage>;
  /** Gives every open call up and closes the connection. */
  close(): void;
}

/** Buffers for messages that are kept: one on its way, one that follows it. */
const BUFFERS_KEPT = 2;

export interface ClientSettings extends ChannelSettings {
  /** Encryption and token; neither unless given. */
  readonly security?: ClientSecurity | undefined;
}

/**
 * A client that connects on its first call, and again after a loss. It never retries a call: that is
 * for the caller, who knows whether it makes sense.
 *
 * @param address `HOST:PORT` or `unix:PATH`
 * @throws {WireError} `invalidAddress`; and what {@link openClientSecurity} throws
 */
export function createCoordinatorClient(
  address: string,
  settings: ClientSettings = {},
): CoordinatorClient {
  silenceGrpcConsole();
  const endpoint = parseEndpoint(address);
  const { deadlineMs = DEFAULT_DEADLINE_MS, security } = settings;
  const { reconnectFirstMs, reconnectLongestMs } = deriveTimeouts(deadlineMs);
  const { credentials, options, token } = openClientSecurity(endpoint, security);
  const client = new Client(formatEndpoint(endpoint), credentials, {
    ...channelOptions(settings),
    ...options,
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": reconnectFirstMs,
    "grpc.max_reconnect_backoff_ms": reconnectLongestMs,
    // Else clients of one process share a connection and its back-off.
    "grpc.use_local_subchannel_pool": 1,
    // A proxy of the environment cannot reach this machine's loopback.
    "grpc.enable_http_proxy": isLocal(endpoint) ? 0 : 1,
  });
  return new GrpcCoordinatorClient(address, client, token);
}

class GrpcCoordinatorClient implements CoordinatorClient {
  readonly address: string;
  readonly #client: Client;
  readonly #token: string | undefined;
  readonly #buffers = new MessageBuffers(BUFFERS_KEPT);
  #isClosed = false;
  readonly #openCalls = new Set<{ cancel(): void }>();

  constructor(address: string, client: Client, token: string | undefined) {
    this.address = address;
    this.#client = client;
    this.#token = token;
  }

  async join(request: JoinRequest, options: CallOptions = {}): Promise<JoinReply> {
    const { path } = coordinatorService.join;
    return joinReplyCodec.decode(await this.#ask(path, joinRequestCodec.encode(request), options));
  }

  async status(options: CallOptions = {}): Promise<StatusReply> {
    const { path } = coordinatorService.status;
    return statusReplyCodec.decode(
      await this.#ask(path, statusRequestCodec.encode(undefined), options),
    );
  }

  fetchData(digest: string, signal?: AbortSignal): AsyncIterable<DataChunk> {
    const request = fetchDataRequestCodec.encode({ digest });
    return this.#iterate(coordinatorService.fetchData.path, request, dataChunkCodec, signal);
  }

  watch(signal?: AbortSignal): AsyncIterable<WatchEvent> {
    const request = watchRequestCodec.encode(undefined);
    return this.#iterate(coordinatorService.watch.path, request, watchEventCodec, signal);
  }

  train(): TrainStream<CoordinatorMessage, WorkerMessage> {
    const { path, requestSerialize, responseDeserialize } = coordinatorService.train;
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      this.#metadata(),
    );
    const stream = new CallStream<CoordinatorMessage, WorkerMessage>(
      this.address,
      {
        write: (bytes, taken) => call.write(bytes, taken),
        read: (receive) => call.on("data", receive),
        pause: () => call.pause(),
        resume: () => call.resume(),
        end: (error) => (error === undefined ? call.end() : call.cancel()),
        cancel: () => call.cancel(),
      },
      { incoming: coordinatorMessageCodec, outgoing: workerMessageCodec },
      this.#buffers,
    );
    this.#openCalls.add(stream);
    stream.onClosed(() => this.#openCalls.delete(stream));
    call.on("error", (error) => stream.closed(this.#errorOf(error)));
    call.on("status", ({ code }) => {
      if (code !== status.OK) return;
      // Messages that came before a regular end are still to be taken.
      if (stream.isReading && !call.readableEnded) call.once("end", () => stream.closed(undefined));
      else stream.closed(undefined);
    });
    return stream;
  }

  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#openCalls]) call.cancel();
    this.#client.close();
  }

  async #ask(path: string, request: Buffer, options: CallOptions): Promise<Buffer> {
    const { signal } = options;
    // A remainder of a deadline is seldom whole; AbortSignal takes whole milliseconds only.
    const deadlineMs =
      options.deadlineMs === undefined ? undefined : Math.max(1, Math.round(options.deadlineMs));
    const timeout = deadlineMs === undefined ? undefined : AbortSignal.timeout(deadlineMs);
    const given = [signal, timeout].filter((each) => each !== undefined);
    const either = AbortSignal.any(given);
    const { requestSerialize, responseDeserialize } = coordinatorService.join;
    return await new Promise<Buffer>((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata(),
        (error, reply) => {
          this.#openCalls.delete(call);
          either.removeEventListener("abort", giveUp);
          if (error === null && reply !== undefined) resolve(reply);
          else if (signal?.aborted === true) reject(this.#givenUp());
          else if (timeout?.aborted === true) reject(this.#tooLate(deadlineMs ?? 0));
          else reject(this.#errorOf(error));
        },
      );
      const giveUp = (): void => call.cancel();
      this.#openCalls.add(call);
      if (either.aborted) giveUp();
      else either.addEventListener("abort", giveUp, { once: true });
    });
  }

  async *#iterate<Reply>(
    path: string,
    request: Buffer,
    codec: Codec<Reply>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Reply, void, undefined> {
    const isGivenUp = (): boolean => signal?.aborted === true;
    if (isGivenUp()) throw this.#givenUp();
    const { requestSerialize, responseDeserialize } = coordinatorService.fetchData;
    const call: ClientReadableStream<Buffer> = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata(),
    );
    // The iteration below reports errors; those after its end have no other listener.
    call.on("error", () => undefined);
    const giveUp = (): void => call.cancel();
    signal?.addEventListener("abort", giveUp, { once: true });
    this.#openCalls.add(call);
    try {
      for await (const bytes of call) yield codec.decode(bytes as Buffer);
    } catch (error) {
      throw isGivenUp() ? this.#givenUp() : this.#errorOf(error);
    } finally {
      signal?.removeEventListener("abort", giveUp);
      this.#openCalls.delete(call);
      call.cancel();
    }
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    if (this.#token !== undefined) metadata.set("authorization", authorizationOf(this.#token));
    return metadata;
  }

  #errorOf(error: unknown): WireError {
    if (this.#isClosed) return this.#givenUp();
    const wire = fromStatus(error);
    // A call that nobody here gave up was reset by a server that dies.
    if (wire.code !== "unavailable" && wire.code !== "cancelled") return wire;
    return new WireError("unavailable", `${this.address} is not reachable: ${wire.message}`, {
      cause: error,
    });
  }

  #givenUp(): WireError {
    return new WireError("cancelled", `the call to ${this.address} was given up`);
  }

  #tooLate(deadlineMs: number): WireError {
    return new WireError(
      "deadlineExceeded",
      `${this.address} did not answer within ${deadlineMs} ms`,
    );
  }
}
