/** The service's methods: thin, one room behind each. */

import type {
  Caller,
  CoordinatorHandlers,
  CoordinatorMessage,
  DataChunk,
  FetchDataRequest,
  JoinReply,
  JoinRequest,
  NumericsProfile,
  Refusal,
  StatusReply,
  TrainStream,
  WatchEvent,
  WorkerMessage,
} from "@ostinato/proto";
import { crc32, MAX_FRAME_BYTES, PROTOCOL_VERSION, WireError } from "@ostinato/proto";
import type { Clock, Logger } from "@ostinato/runtime";
import { deriveTimeouts } from "@ostinato/runtime/timeouts";
import type { ProfilePolicy, WorkerTable } from "../membership/index.js";
import type { Metrics } from "../ops/index.js";
import { RatedLines } from "../ops/index.js";
import type { SharedMemory } from "../segments/index.js";
import { WorkerSession } from "../sessions/index.js";
import type { Dispatcher, EventHub } from "../training/index.js";
import type { DataFetches } from "./data-fetches.js";

/** What every joining worker is told. */
export interface RunDescription {
  readonly jobId: string;
  readonly incarnation: number;
  readonly configJson: string;
  readonly modelJson: string;
  readonly dataDigest: string;
  /** The encoded data set, served by digest. */
  readonly data: Uint8Array;
  readonly deadlineMs: number;
}

export interface HandlerModules {
  /** What this coordinator shares with workers of its machine, if anything. */
  readonly memory: SharedMemory | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly workers: WorkerTable<WorkerSession>;
  readonly profiles: ProfilePolicy;
  readonly dispatcher: Dispatcher;
  readonly events: EventHub;
  readonly fetches: DataFetches;
  readonly status: () => StatusReply;
  /** Told of each stream that is ended because it belongs to no worker. */
  readonly onRefused: (refusal: Refusal) => void;
  /** Called before a profile takes part that has not so far; what it throws refuses the worker. */
  readonly onNewProfile: (profile: NumericsProfile) => void;
  /** True once the run is ending: nobody joins any more. */
  readonly isEnding: () => boolean;
}

/** More than a run has leaves to give. */
const MAX_WORKERS = 4096;

/** Of them, from one address and without a stream: far more than join at once, and others still find room. */
const MAX_JOINED_OF_ADDRESS = 512;

/** How many ends of streams are told in the log: each needs a join, of which there are some a second for each address. */
const TOLD = { burst: 256, perSecond: 1 };

export function createHandlers(run: RunDescription, modules: HandlerModules): CoordinatorHandlers {
  const lines = new RatedLines(TOLD, modules.clock.now());
  return {
    join: (request, caller) => Promise.resolve(join(run, modules, request, caller)),
    train: (stream, caller) => {
      awaitAttach(run, { ...modules, lines }, stream, caller);
    },
    fetchData: (request) => modules.fetches.watch(run.data.byteLength, chunksOf(run, request)),
    status: () => Promise.resolve(modules.status()),
    watch: (signal): AsyncIterable<WatchEvent> => modules.events.watch(signal),
  };
}

function join(
  run: RunDescription,
  modules: HandlerModules,
  request: JoinRequest,
  { address, certificate }: Caller,
): JoinReply {
  if (request.protocolVersion !== PROTOCOL_VERSION) {
    throw new WireError(
      "protocolVersion",
      `this coordinator speaks protocol version ${PROTOCOL_VERSION}, the worker ${request.protocolVersion}`,
    );
  }
  if (modules.isEnding()) throw new WireError("shuttingDown", "the run is ending");
  requireRoom(run, modules, address);
  const profile = modules.profiles.choose(request.profiles);
  // The ledger first: a line that cannot be written leaves the run without a profile, not without its line.
  if (modules.profiles.isNew(profile)) {
    modules.onNewProfile(profile);
    modules.profiles.settle(profile);
  }
  const worker = modules.workers.join(request.workerName, profile, modules.clock.now(), {
    address,
    certificate,
  });
  const { jobId, incarnation, configJson, modelJson, dataDigest, deadlineMs } = run;
  return {
    workerId: worker.workerId,
    streamToken: worker.streamToken,
    profile,
    jobId,
    incarnation,
    configJson,
    modelJson,
    dataDigest,
    deadlineMs,
    segmentFolder: modules.memory?.folder.name ?? "",
  };
}

/**
 * What joins and never comes with a stream is forgotten after a deadline; until then it takes room.
 *
 * @throws {WireError} `resourceExhausted`
 */
function requireRoom(
  { deadlineMs }: RunDescription,
  { workers, clock }: HandlerModules,
  address: string,
): void {
  const problem = (): string | undefined => {
    if (workers.size >= MAX_WORKERS) return `${MAX_WORKERS} workers have joined`;
    if (workers.numJoinedOf(address) < MAX_JOINED_OF_ADDRESS) return undefined;
    return `${MAX_JOINED_OF_ADDRESS} workers of one address have joined and opened no stream`;
  };
  if (problem() === undefined) return;
  workers.expireJoined(clock.now(), deriveTimeouts(deadlineMs).joinedMs);
  const left = problem();
  if (left !== undefined) {
    throw new WireError("resourceExhausted", `${left}; try again when some have left`);
  }
}

/** Binds the stream to an identity by its first message, or ends it. */
function awaitAttach(
  run: RunDescription,
  modules: HandlerModules & { readonly lines: RatedLines },
  stream: TrainStream<WorkerMessage, CoordinatorMessage>,
  { address, certificate }: Caller,
): void {
  const refuse = (error: WireError): void => {
    timer.cancel();
    modules.onRefused({ reason: "stream", address, text: error.message });
    stream.end(error);
  };
  const timer = modules.clock.setTimer(deriveTimeouts(run.deadlineMs).attachMs, () => {
    refuse(new WireError("streamRefused", "no attach within the deadline"));
  });
  stream.onClosed(() => {
    timer.cancel();
  });
  stream.onMessage((message) => {
    if (message.kind !== "attach") {
      refuse(new WireError("badMessage", `the first message is ${message.kind}, not attach`));
      return;
    }
    timer.cancel();
    const { workers, dispatcher, metrics, logger, lines, clock, memory } = modules;
    const session = new WorkerSession(
      { workerId: message.workerId, name: workers.get(message.workerId)?.name ?? "" },
      { hub: dispatcher, uploads: dispatcher.intake, stream, metrics, logger, lines, clock },
    );
    try {
      workers.attach(message.workerId, message.streamToken, session, certificate);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      session.reject();
      refuse(error);
      return;
    }
    // Not before it is known to be this worker: what belongs to the name goes with it.
    if (message.sharesMemory && memory !== undefined) session.share(memory.join(message.workerId));
    if (modules.isEnding()) void session.stop(false, "the run is over");
    else dispatcher.attached(session);
  });
}

async function* chunksOf(
  run: RunDescription,
  request: FetchDataRequest,
): AsyncGenerator<DataChunk> {
  if (request.digest !== run.dataDigest) {
    throw new WireError("unknownData", `this run's data is ${run.dataDigest}`);
  }
  const { data } = run;
  for (let offset = 0; offset < data.byteLength; offset += MAX_FRAME_BYTES) {
    const payload = data.subarray(offset, offset + MAX_FRAME_BYTES);
    yield await Promise.resolve({
      offset,
      totalBytes: data.byteLength,
      payload,
      crc32: crc32(payload),
    });
  }
}
