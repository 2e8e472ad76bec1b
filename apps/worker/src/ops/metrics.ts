/** What a worker measures; one function of a registry. Seconds and bytes, Prometheus' base units. */

import type { Clock } from "@ostinato/runtime";
import type { Phase } from "@ostinato/proto";
import type { Registry } from "prom-client";
import { Counter, Gauge, Histogram } from "prom-client";

export type LeaseOutcome = "done" | "revoked" | "failed";
export type StreamDirection = "sent" | "received";

/** Times what a lease goes through; each phase is observed when the next begins. */
export interface PhaseTimer {
  enter(phase: Phase): void;
  end(): void;
}

export interface WorkerMetrics {
  readonly leases: Counter<"kind" | "outcome">;
  readonly tokens: Counter;
  readonly tensorBytes: Counter<"direction">;
  readonly uploadsRejected: Counter<"reason">;
  readonly joins: Counter;
  readonly tensors: Gauge;
  readonly parameterVersion: Gauge;
  startPhases(clock: Clock): PhaseTimer;
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
  return {
    leases: new Counter({
      name: "ostinato_worker_leases_total",
      help: "Leases ended, by kind (train, evaluate) and outcome (done, revoked, failed).",
      labelNames: ["kind", "outcome"],
      registers,
    }),
    tokens: new Counter({
      name: "ostinato_worker_tokens_total",
      help: "Target positions whose gradient was computed.",
      registers,
    }),
    tensorBytes: new Counter({
      name: "ostinato_worker_tensor_bytes_total",
      help: "Payload bytes of tensor frames on the Train stream, by direction (sent, received).",
      labelNames: ["direction"],
      registers,
    }),
    uploadsRejected: new Counter({
      name: "ostinato_worker_uploads_rejected_total",
      help: "Uploads the coordinator refused, by its reason.",
      labelNames: ["reason"],
      registers,
    }),
    joins: new Counter({
      name: "ostinato_worker_joins_total",
      help: "Identities this process was given: 1, and 1 more for each reconnection.",
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
