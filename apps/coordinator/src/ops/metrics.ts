/** Every metric of the coordinator: one function of a registry, no globals. */

import { FRAME_CARRIERS, UPLOAD_REJECTIONS } from "@ostinato/proto";
import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";

const P = "ostinato_coordinator_";

// A step of a small model takes tens of milliseconds, one of a large model on few workers minutes.
const STEP_BUCKETS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];
const CHECKPOINT_BUCKETS = [0.005, 0.02, 0.1, 0.5, 2.5, 10, 60];

const LEASE_ENDINGS = [
  "expired",
  "returned",
  "lost",
  "refused",
  "failed",
  "quarantined",
  "superseded",
] as const;

const STORAGE_PARTS = ["checkpoints", "retention", "metrics"] as const;

/** What of the run's files training goes on without: writing checkpoints, removing old ones, metrics.jsonl. */
export type StoragePart = (typeof STORAGE_PARTS)[number];

/** How a lease ends that does not complete. */
export type LeaseEnding = (typeof LEASE_ENDINGS)[number];

const VERDICTS = ["agreed", "data", "machine", "inconclusive", "undecided"] as const;

export interface MetricsSources {
  /** What is counted and what is measured: both follow from the run's data and model. */
  readonly run: {
    /** Target positions of a text, sequences, or pairs. */
    readonly samples: string;
    /** Kind of the model's loss. */
    readonly loss: string;
    readonly lossUnit: string;
  };
  /** Workers by state, at scrape time. */
  readonly countWorkers: () => Readonly<
    Record<"joined" | "active" | "draining" | "quarantined", number>
  >;
  /** Seconds since the newest checkpoint was complete; undefined before the first. */
  readonly checkpointAgeSeconds: () => number | undefined;
  /** With fewer workers no step begins. */
  readonly minWorkers: number;
  /** For how long the run has waited for what status and log say; 0 while it moves. */
  readonly stalledSeconds: () => number;
}

export type Metrics = ReturnType<typeof createMetrics>;

// The return type is the definition itself; writing it out would say every name twice.
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types
export function createMetrics(registry: Registry, sources: MetricsSources) {
  const registers = [registry];
  const runInfo = new Gauge({
    name: `${P}run_info`,
    help: "Always 1; the labels say what a sample is, and kind and unit of the loss.",
    labelNames: ["samples", "loss", "loss_unit"] as const,
    registers,
  });
  const { samples, loss, lossUnit } = sources.run;
  runInfo.set({ samples, loss, loss_unit: lossUnit }, 1);
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
  const minWorkers = new Gauge({
    name: `${P}min_workers`,
    help: "With fewer active workers than this no step begins.",
    registers,
  });
  minWorkers.set(sources.minWorkers);
  new Gauge({
    name: `${P}stalled_seconds`,
    help: "For how long the run has waited for what `ostinato status` and the log say; 0 while it moves.",
    registers,
    collect() {
      this.set(sources.stalledSeconds());
    },
  });
  // Registered when there is an age: a gauge without labels shows 0 before, the best age there is.
  const checkpointAge = new Gauge({
    name: `${P}checkpoint_age_seconds`,
    help: "Time since the newest checkpoint of this incarnation was complete; absent before it.",
    registers: [],
    collect() {
      this.set(sources.checkpointAgeSeconds() ?? 0);
    },
  });
  const checkpoints = new Counter({
    name: `${P}checkpoints_total`,
    help: "Checkpoints by outcome.",
    labelNames: ["outcome"] as const,
    registers,
  });
  const checkpointSeconds = new Histogram({
    name: `${P}checkpoint_seconds`,
    help: "Time to write a checkpoint, until it is durable.",
    buckets: CHECKPOINT_BUCKETS,
    registers,
  });
  let isAgeKnown = false;
  const metrics = {
    checkpoints,
    checkpointWritten: (seconds: number): void => {
      checkpoints.inc({ outcome: "written" });
      checkpointSeconds.observe(seconds);
      if (!isAgeKnown) registry.registerMetric(checkpointAge);
      isAgeKnown = true;
    },
    storageFailing: new Gauge({
      name: `${P}storage_failing`,
      help: "Failures in a row to write or remove the files that training goes on without, by part; 0: it works.",
      labelNames: ["part"] as const,
      registers,
    }),
    steps: new Counter({
      name: `${P}steps_total`,
      help: "Steps by outcome; a replayed step was in the ledger before a resume.",
      labelNames: ["outcome"] as const,
      registers,
    }),
    step: new Gauge({ name: `${P}step`, help: "The newest committed step.", registers }),
    epoch: new Gauge({ name: `${P}epoch`, help: "The epoch of that step, from 0.", registers }),
    samples: new Counter({
      name: `${P}samples_total`,
      help: "Samples in committed steps: what run_info says.",
      registers,
    }),
    trainLoss: new Gauge({
      name: `${P}train_loss`,
      help: "Mean loss over the global batch of the newest step, in the unit of run_info.",
      registers,
    }),
    evaluationLoss: new Gauge({
      name: `${P}evaluation_loss`,
      help: "Mean loss of the newest evaluation, in the unit of run_info.",
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
      help: "Time of a committed step until its ledger line, without the time in which it waited for workers.",
      buckets: STEP_BUCKETS,
      registers,
    }),
    phaseSeconds: new Histogram({
      name: `${P}step_phase_seconds`,
      help: "Time of a step's phases: collect (without waiting for workers), reduce (to the next version), commit.",
      labelNames: ["phase"] as const,
      buckets: STEP_BUCKETS,
      registers,
    }),
    waitSeconds: new Counter({
      name: `${P}worker_wait_seconds_total`,
      help: "Time in which a step or evaluation waited for workers: nobody was here, or fewer than min_workers before it began; counted when it is over.",
      registers,
    }),
    evaluationSeconds: new Histogram({
      name: `${P}evaluation_seconds`,
      help: "Time to collect an evaluation, without the time in which it waited for workers.",
      buckets: STEP_BUCKETS,
      registers,
    }),
    tensorBytes: new Counter({
      name: `${P}tensor_bytes_total`,
      help: "Bytes of tensors in frames, masks included, by direction and by what carried them: stream or sharedMemory.",
      labelNames: ["direction", "carrier"] as const,
      registers,
    }),
    leases: new Counter({
      name: `${P}leases_total`,
      help: "Leases issued, and how those that did not complete ended.",
      labelNames: ["event"] as const,
      registers,
    }),
    secondLeases: new Counter({
      name: `${P}second_leases_total`,
      help: "Leases issued for leaves that a late worker holds as well; among those issued.",
      registers,
    }),
    workersQuarantined: new Counter({
      name: `${P}workers_quarantined_total`,
      help: "Workers sent away: they failed too often in a row, or others computed other bits.",
      registers,
    }),
    suspects: new Counter({
      name: `${P}suspects_total`,
      help: "Nodes of gradients that were computed again because their norm was far off.",
      registers,
    }),
    audits: new Counter({
      name: `${P}audits_total`,
      help: "Nodes of gradients that were computed again by another worker for no reason but to compare.",
      registers,
    }),
    verdicts: new Counter({
      name: `${P}verdicts_total`,
      help: "What came of computing again: agreed, data (an odd norm that is right), machine (a worker is wrong), inconclusive (nobody was left who could tell), undecided (the run ended).",
      labelNames: ["verdict"] as const,
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
    evaluations: new Counter({
      name: `${P}evaluations_total`,
      help: "Evaluations committed, by split.",
      labelNames: ["split"] as const,
      registers,
    }),
  };
  // A series that begins with its first event hides that event from rate().
  for (const outcome of ["committed", "replayed", "skipped"]) metrics.steps.inc({ outcome }, 0);
  for (const event of ["issued", ...LEASE_ENDINGS] as const) metrics.leases.inc({ event }, 0);
  for (const reason of UPLOAD_REJECTIONS) metrics.uploadsRejected.inc({ reason }, 0);
  for (const verdict of VERDICTS) metrics.verdicts.inc({ verdict }, 0);
  for (const direction of ["sent", "received"]) {
    for (const carrier of FRAME_CARRIERS) {
      metrics.tensorBytes.inc({ direction, carrier }, 0);
    }
  }
  for (const outcome of ["written", "failed"]) metrics.checkpoints.inc({ outcome }, 0);
  for (const part of STORAGE_PARTS) metrics.storageFailing.set({ part }, 0);
  for (const split of ["validation", "test"]) metrics.evaluations.inc({ split }, 0);
  return metrics;
}
