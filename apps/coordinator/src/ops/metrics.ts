/** Every metric of the coordinator: one function of a registry, no globals. */

import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";

const P = "ostinato_coordinator_";

// A step of a small model takes tens of milliseconds, one of a large model on few workers minutes.
const STEP_BUCKETS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];
const CHECKPOINT_BUCKETS = [0.005, 0.02, 0.1, 0.5, 2.5, 10, 60];

export interface MetricsSources {
  /** Workers by state, at scrape time. */
  readonly countWorkers: () => Readonly<Record<"joined" | "active" | "draining", number>>;
  /** Seconds since the newest checkpoint was complete; undefined before the first. */
  readonly checkpointAgeSeconds: () => number | undefined;
}

export type Metrics = ReturnType<typeof createMetrics>;

// The return type is the definition itself; writing it out would say every name twice.
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types
export function createMetrics(registry: Registry, sources: MetricsSources) {
  const registers = [registry];
  new Gauge({
    name: `${P}workers`,
    help: "Workers with an identity, by state.",
    labelNames: ["state"] as const,
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.countWorkers())) {
        this.set({ state }, count);
      }
    },
  });
  new Gauge({
    name: `${P}checkpoint_age_seconds`,
    help: "Time since the newest checkpoint was complete; absent before the first.",
    registers,
    collect() {
      const age = sources.checkpointAgeSeconds();
      if (age === undefined) this.reset();
      else this.set(age);
    },
  });
  return {
    steps: new Counter({
      name: `${P}steps_total`,
      help: "Steps by outcome; a replayed step was in the ledger before a resume.",
      labelNames: ["outcome"] as const,
      registers,
    }),
    step: new Gauge({ name: `${P}step`, help: "The newest committed step.", registers }),
    epoch: new Gauge({ name: `${P}epoch`, help: "The epoch of that step, from 0.", registers }),
    tokens: new Counter({
      name: `${P}tokens_total`,
      help: "Target positions in committed steps.",
      registers,
    }),
    trainLoss: new Gauge({
      name: `${P}train_loss_nats`,
      help: "Mean loss over the global batch of the newest step.",
      registers,
    }),
    evaluationLoss: new Gauge({
      name: `${P}evaluation_loss_nats`,
      help: "Mean loss of the newest evaluation.",
      labelNames: ["split"] as const,
      registers,
    }),
    gradientNorm: new Gauge({
      name: `${P}gradient_norm`,
      help: "Global norm of the averaged gradient, before clipping.",
      registers,
    }),
    clipped: new Counter({
      name: `${P}gradients_clipped_total`,
      help: "Steps whose gradient was scaled down to the largest norm allowed.",
      registers,
    }),
    learningRate: new Gauge({
      name: `${P}learning_rate`,
      help: "Learning rate of the newest step.",
      registers,
    }),
    stepSeconds: new Histogram({
      name: `${P}step_seconds`,
      help: "Time of a step by phase: collect, reduce (to the next version), commit; and total.",
      labelNames: ["phase"] as const,
      buckets: STEP_BUCKETS,
      registers,
    }),
    tensorBytes: new Counter({
      name: `${P}tensor_bytes_total`,
      help: "Payload of tensor frames by direction.",
      labelNames: ["direction"] as const,
      registers,
    }),
    leases: new Counter({
      name: `${P}leases_total`,
      help: "Leases issued, and how those that did not complete ended.",
      labelNames: ["event"] as const,
      registers,
    }),
    uploadsAdmitted: new Counter({
      name: `${P}uploads_admitted_total`,
      help: "Uploads whose every check held.",
      registers,
    }),
    uploadsRejected: new Counter({
      name: `${P}uploads_rejected_total`,
      help: "Uploads refused, by the check that did not hold.",
      labelNames: ["reason"] as const,
      registers,
    }),
    checkpointSeconds: new Histogram({
      name: `${P}checkpoint_seconds`,
      help: "Time to write and verify a checkpoint.",
      buckets: CHECKPOINT_BUCKETS,
      registers,
    }),
    checkpoints: new Counter({
      name: `${P}checkpoints_total`,
      help: "Checkpoints by outcome.",
      labelNames: ["outcome"] as const,
      registers,
    }),
    evaluations: new Counter({
      name: `${P}evaluations_total`,
      help: "Evaluations committed, by split.",
      labelNames: ["split"] as const,
      registers,
    }),
  };
}
