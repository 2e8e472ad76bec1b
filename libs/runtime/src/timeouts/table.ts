/** Every time-out of the system, by name. A row's numbers are its value and its description alike. */

/** How a time-out follows from the deadline: so many parts of it, within bounds; or not at all. */
export type TimeoutRule =
  | {
      /** Of the deadline: 0.5 is half of it. */
      readonly deadlines: number;
      readonly atLeastMs?: number;
      readonly atMostMs?: number;
    }
  /** Of people, of programs that know no deadline, or of cleaning up: the same in every run. */
  | { readonly fixedMs: number };

export type TimeoutOwner =
  | "coordinator"
  | "worker"
  | "process"
  | "connection"
  | "run directory"
  | "launcher"
  | "status"
  | "http";

export type TimeoutRow = TimeoutRule & {
  /** Whose clock runs. */
  readonly owner: TimeoutOwner;
  /** What lasts too long. */
  readonly what: string;
  /** What happens when it fires. */
  readonly then: string;
};

export const TIMEOUT_TABLE = {
  leaseMs: {
    owner: "coordinator",
    deadlines: 1,
    what: "a lease in which nothing moves",
    then: "its unfinished leaves are leased again; its worker's uploads for it are refused",
  },
  earliestLateLeaseMs: {
    owner: "coordinator",
    deadlines: 1 / 16,
    what: "a lease that is not finished, where leases take a quarter of this or less; where they take longer, four times what they take",
    then: "an idle worker gets its unfinished leaves as well; the first result counts",
  },
  lateLeaseMs: {
    owner: "coordinator",
    deadlines: 1 / 2,
    what: "the longest that takes, also where it is not known yet what leases take",
    then: "an idle worker gets its unfinished leaves as well; the first result counts",
  },
  disagreementMs: {
    owner: "coordinator",
    deadlines: 2,
    what: "workers whose results of the same leaves differ for good, with no other worker to tell who is right; or a doubted result, with none left of its numerics profile",
    then: "the run ends and names both; the newest checkpoint is kept; or the result is dropped, and others compute the leaves",
  },
  silentWorkerMs: {
    owner: "coordinator",
    deadlines: 2,
    what: "a worker whose lease is over, and that says nothing",
    then: "its connection is cut; it may join again",
  },
  joinedMs: {
    owner: "coordinator",
    deadlines: 1,
    what: "a joined worker whose stream does not come",
    then: "its identity is forgotten; it has to join again",
  },
  attachMs: {
    owner: "coordinator",
    deadlines: 1,
    what: "a stream that does not say whose it is",
    then: "it is ended",
  },
  requestMs: {
    owner: "coordinator",
    fixedMs: 10_000,
    what: "a call whose request is not whole",
    then: "it is ended, and says so; it may be made again",
  },
  watchMs: {
    owner: "coordinator",
    deadlines: 1 / 8,
    what: "from one look at leases and workers to the next",
    then: "they are looked at; if that is late by as much again, the coordinator says that it stood still itself, and counts nobody's silence in that time",
  },
  stallMs: {
    owner: "coordinator",
    deadlines: 1 / 10,
    what: "a step in which nothing moves",
    then: "`ostinato status` says in a sentence what it waits for",
  },
  stallToldMs: {
    owner: "coordinator",
    deadlines: 1 / 4,
    what: "a step in which nothing moves",
    then: "the log says so as well, at the next look, and when it moves again",
  },
  stallRepeatMs: {
    owner: "coordinator",
    deadlines: 1,
    what: "a stall since it was last told",
    then: "the log tells it again",
  },
  goodbyeMs: {
    owner: "coordinator",
    deadlines: 1,
    atMostMs: 5000,
    what: "workers and watchers that do not take in that the run is over",
    then: "their connections are cut and the process ends",
  },
  lastWordsMs: {
    owner: "process",
    deadlines: 1,
    atMostMs: 10_000,
    what: "a coordinator or worker that an unexpected error ends, and that does not come to its end",
    then: "it ends where it stands, with exit code 1",
  },
  sameSignalMs: {
    owner: "process",
    fixedMs: 1000,
    what: "a signal after a signal to stop",
    then: "from then on it counts as a second one, which ends the process at once",
  },
  keepaliveMs: {
    owner: "connection",
    deadlines: 1 / 3,
    what: "a connection on which nothing comes",
    then: "the peer is asked for a sign of life",
  },
  keepaliveAnswerMs: {
    owner: "connection",
    deadlines: 1 / 3,
    what: "a peer that does not answer that",
    then: "the connection is closed: a worker's leases are free again, a worker joins again",
  },
  reconnectFirstMs: {
    owner: "connection",
    fixedMs: 100,
    what: "the pause after a connection that failed, doubled each time",
    then: "the next call may connect again",
  },
  reconnectLongestMs: {
    owner: "connection",
    deadlines: 1 / 30,
    atLeastMs: 100,
    atMostMs: 1000,
    what: "the longest such pause",
    then: "the next call may connect again",
  },
  tlsHandshakeMs: {
    owner: "connection",
    fixedMs: 10_000,
    what: "a connection that is to be encrypted, and is not",
    then: "it is closed",
  },
  idleConnectionMs: {
    owner: "connection",
    fixedMs: 300_000,
    what: "a connection to the coordinator without a call",
    then: "it is closed; the next call connects again",
  },
  credentialFilesMs: {
    owner: "coordinator",
    fixedMs: 1000,
    what: "from one look at the files of certificates and tokens to the next",
    then: "they are read again if they have changed",
  },
  awaitReturnMs: {
    owner: "worker",
    // One that resumes the run on another machine watches its predecessor for a deadline first, and is started before.
    deadlines: 3,
    what: "no coordinator, after there was one that worked with this worker",
    then: "the worker ends with exit code 1 and says what it tried",
  },
  giveUpMs: {
    owner: "worker",
    deadlines: 1,
    what: "no coordinator in the beginning, or none that works with this worker",
    then: "the worker ends with exit code 1 and says what it tried",
  },
  leastJoinMs: {
    owner: "worker",
    deadlines: 1 / 10,
    what: "a join without an answer: what is left of the row above, and this at least",
    then: "the attempt counts as failed; the next one follows after a pause",
  },
  freshIdentityMs: {
    owner: "worker",
    deadlines: 1 / 2,
    what: "loading data and model with an identity",
    then: "the worker joins once more before it attaches, as it may have been forgotten",
  },
  firstPauseMs: {
    owner: "worker",
    fixedMs: 100,
    what: "the pause after a first failed attempt, at most; doubled each time, drawn at random from 0 on",
    then: "the worker tries to join again",
  },
  longestPauseMs: {
    owner: "worker",
    deadlines: 1 / 4,
    atLeastMs: 100,
    atMostMs: 2000,
    what: "the longest such pause",
    then: "the worker tries to join again",
  },
  progressMs: {
    owner: "worker",
    deadlines: 1 / 4,
    atMostMs: 250,
    what: "from one report of a lease that moves to the next",
    then: "the newest count of time steps is sent, which renews the lease",
  },
  threadProgressMs: {
    owner: "worker",
    fixedMs: 20,
    what: "from one count of a phase's time steps that the compute thread tells the main thread to the next",
    then: "the next count is told",
  },
  heartbeatMs: {
    owner: "worker",
    deadlines: 1 / 8,
    what: "from one heartbeat of a worker with a lease to the next",
    then: "it is sent, whether the lease moves or not; it renews nothing, and tells a computation that stands still from a process that does",
  },
  returnMs: {
    owner: "worker",
    deadlines: 1,
    atMostMs: 10_000,
    what: "a coordinator that does not take leases back from a worker that leaves",
    then: "the worker ends without; its leases are free once its connection is closed",
  },
  orphanedDataMs: {
    owner: "worker",
    fixedMs: 3_600_000,
    what: "a fetch of the data that a dead worker left half done in the cache",
    then: "the next fetch removes it",
  },
  claimHeartbeatMs: {
    owner: "run directory",
    deadlines: 1 / 4,
    atMostMs: 1000,
    what: "from one heartbeat of the coordinator's claim to the next",
    then: "the time of its incarnation's file is set, and it looks for a later one",
  },
  claimMs: {
    owner: "run directory",
    deadlines: 1,
    what: "a claim without a heartbeat, of a process that may live, while another coordinator watches it",
    then: "that one takes the run over; the old one writes nothing any more",
  },
  claimConfirmMs: {
    owner: "run directory",
    deadlines: 1,
    atMostMs: 5000,
    what: "the same, where the claim's file looks as if there had been none for a deadline already",
    then: "the same",
  },
  leaveMs: {
    owner: "launcher",
    deadlines: 1,
    atLeastMs: 2000,
    atMostMs: 10_000,
    what: "workers without a coordinator, or a coordinator without workers",
    then: "the workers are killed; the coordinator is stopped, with a checkpoint",
  },
  respawnFirstMs: {
    owner: "launcher",
    fixedMs: 500,
    what: "the pause before the successor of a second worker that died young; doubled each time",
    then: "the successor is started",
  },
  respawnLongestMs: {
    owner: "launcher",
    deadlines: 1,
    atLeastMs: 500,
    atMostMs: 30_000,
    what: "the longest such pause",
    then: "the successor is started",
  },
  soundLifeMs: {
    owner: "launcher",
    deadlines: 2,
    atMostMs: 60_000,
    what: "the life of a worker that does not count as having died young",
    then: "if it dies, its successor is started at once",
  },
  statusAnswerMs: {
    owner: "status",
    fixedMs: 5000,
    what: "a coordinator that does not answer `ostinato status`, and then one that takes no connection",
    then: "the command says which it is, with exit code 1",
  },
  statusRefreshMs: {
    owner: "status",
    fixedMs: 1000,
    what: "from one picture of `ostinato status --watch` to the next",
    then: "the coordinator is asked again",
  },
  httpRequestMs: {
    owner: "http",
    fixedMs: 10_000,
    what: "a request for a page of metrics or health that is not complete",
    then: "its connection is closed",
  },
  httpIdleMs: {
    owner: "http",
    fixedMs: 5000,
    what: "a connection for such pages on which no request comes",
    then: "it is closed",
  },
  httpCheckMs: {
    owner: "http",
    fixedMs: 1000,
    what: "from one look at the connections of the metrics server to the next",
    then: "those that are too slow are closed",
  },
} as const satisfies Readonly<Record<`${string}Ms`, TimeoutRow>>;

export type TimeoutName = keyof typeof TIMEOUT_TABLE;

/** Those that no deadline changes. */
export type FixedTimeoutName = {
  [Name in TimeoutName]: (typeof TIMEOUT_TABLE)[Name] extends { readonly fixedMs: number }
    ? Name
    : never;
}[TimeoutName];
