/** What a worker measures; one function of a registry. Seconds and bytes, Prometheus' base units. */

import type { Clock } from "@ostinato/runtime";
import type { Phase } from "@ostinato/proto";
import { FRAME_CARRIERS, UPLOAD_REJECTIONS } from "@ostinato/proto";
import type { Registry } from "prom-client";
import { Counter, Gauge, Histogram } from "prom-client";

/**
 * - `joining`: no identity; calls the coordinator, with pauses.
 * - `preparing`: joined; loads data and model.
 * - `attached`: on the Train stream; computes what it leases.
 * - `ended`: nothing more will happen.
 */
export type SessionState = (typeof SESSION_STATES)[number];
export type LeaseOutcome = (typeof LEASE_OUTCOMES)[number];
export type StreamDirection = (typeof STREAM_DIRECTIONS)[number];

const SESSION_STATES = ["joining", "preparing", "attached", "ended"] as const;
const LEASE_KINDS = ["train", "evaluate"] as const;
const LEASE_OUTCOMES = ["done", "revoked", "failed"] as const;
const STREAM_DIRECTIONS = ["sent", "received"] as const;

const REJECTION_REASONS: ReadonlySet<string> = new Set(UPLOAD_REJECTIONS);
const OTHER_REASON = "other";

/** A label of bounded values: a reason is text from the peer, and any text would be a new series. */
export function rejectionLabel(reason: string): string {
  return REJECTION_REASONS.has(reason) ? reason : OTHER_REASON;
}

/** Times what a lease goes through; each phase is observed when the next begins. */
export interface PhaseTimer {
  enter(phase: Phase): void;
  end(): void;
}

export interface WorkerMetrics {
  readonly leases: Counter<"kind" | "outcome">;
  readonly samples: Counter;
  readonly tensorBytes: Counter<"direction" | "carrier">;
  readonly uploadsRejected: Counter<"reason">;
  readonly joins: Counter;
  readonly tensors: Gauge;
  readonly parameterVersion: Gauge;
  startPhases(clock: Clock): PhaseTimer;
  setSessionState(state: SessionState): void;
}

export function createWorkerMetrics(
  registry: Registry,
  build: { readonly version: string; readonly node: string },
): WorkerMetrics {
  const registers = [registry];
  const buildInfo = new Gauge({
    name: "ostinato_worker_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node"],
    registers,
  });
  buildInfo.set({ version: build.version, node: build.node }, 1);
  const phaseSeconds = new Histogram({
    name: "ostinato_worker_compute_phase_seconds",
    help: "Time a lease spent in a phase.",
    labelNames: ["phase"],
    // From a tiny test model's step to an evaluation of a whole split.
    buckets: [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
    registers,
  });
  const sessionState = new Gauge({
    name: "ostinato_worker_session_state",
    help: "1 for the state of the session with the coordinator, 0 for the others.",
    labelNames: ["state"],
    registers,
  });
  const setSessionState = (current: SessionState): void => {
    for (const state of SESSION_STATES) sessionState.set({ state }, state === current ? 1 : 0);
  };
  setSessionState("joining");
  const leases = new Counter({
    name: "ostinato_worker_leases_total",
    help: "Leases ended, by kind (train, evaluate) and outcome (done, revoked, failed).",
    labelNames: ["kind", "outcome"],
    registers,
  });
  const tensorBytes = new Counter({
    name: "ostinato_worker_tensor_bytes_total",
    help: "Bytes of tensors in frames, masks included, by direction (sent, received) and by what carried them: stream or sharedMemory.",
    labelNames: ["direction", "carrier"],
    registers,
  });
  const uploadsRejected = new Counter({
    name: "ostinato_worker_uploads_rejected_total",
    help: "Uploads the coordinator refused, by its reason.",
    labelNames: ["reason"],
    registers,
  });
  // From 0 on, so that the first event is an increase and not a series that appears.
  for (const kind of LEASE_KINDS) {
    for (const outcome of LEASE_OUTCOMES) leases.inc({ kind, outcome }, 0);
  }
  for (const direction of STREAM_DIRECTIONS) {
    for (const carrier of FRAME_CARRIERS) tensorBytes.inc({ direction, carrier }, 0);
  }
  for (const reason of [...REJECTION_REASONS, OTHER_REASON]) uploadsRejected.inc({ reason }, 0);
  return {
    leases,
    samples: new Counter({
      name: "ostinato_worker_samples_total",
      help: "Samples whose gradient was computed: target positions of a text, sequences, or pairs.",
      registers,
    }),
    tensorBytes,
    uploadsRejected,
    setSessionState,
    joins: new Counter({
      name: "ostinato_worker_joins_total",
      help: "Identities this process was given: 1, and 1 more for each time it joined again.",
      registers,
    }),
    tensors: new Gauge({
      name: "ostinato_worker_tensors",
      help: "Tensors alive in the compute thread after its last task.",
      registers,
    }),
    parameterVersion: new Gauge({
      name: "ostinato_worker_parameter_version",
      help: "The newest complete parameter version.",
      registers,
    }),
    startPhases: (clock) => {
      let current: { readonly phase: Phase; readonly sinceMs: number } | undefined;
      const end = (): void => {
        if (current === undefined) return;
        const seconds = (clock.now() - current.sinceMs) / 1000;
        phaseSeconds.observe({ phase: current.phase }, seconds);
        current = undefined;
      };
      return {
        enter: (phase) => {
          if (current?.phase === phase) return;
          end();
          current = { phase, sinceMs: clock.now() };
        },
        end,
      };
    },
  };
}
