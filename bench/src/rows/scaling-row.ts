import type { TrainingStep } from "../cases/index.js";
import { asStep, backendSide } from "../sides/index.js";
import type { Side } from "../sides/index.js";
import { clusterRounds, clusterSide } from "./cluster-row.js";
import { compare } from "./context.js";
import type { RowContext } from "./context.js";
import { stepCases } from "./step-row.js";

const BARS: Readonly<Record<string, number>> = { "char 512 ×2": 0.85, "Zaremba small": 0.7 };

/**
 * What two workers do of what they would do alone: half of a step's gradients takes a worker as long as
 * a step would take two of them if nothing else took time. Beside it, what both do when they compute at the
 * same time: less, where cores share a cache, the way to memory or more.
 */
export async function scalingRow(context: RowContext): Promise<void> {
  const names = context.isQuick
    ? (["char512x2"] as const)
    : (["char512x2", "zarembaSmall"] as const);
  for (const backend of context.backends) {
    const cluster = clusterSide(context, backend, 2);
    const alone = aloneSide(backend);
    await compare<TrainingStep>("scaling", context, {
      cases: stepCases(context.isQuick, names),
      sides: [cluster, alone, atOnceSide(backend)],
      comparisons: (name) => ({
        own: [cluster.name],
        barOf: (_, other) => (other === alone.name ? (BARS[name] ?? null) : null),
      }),
      rounds: clusterRounds(context),
    });
  }
}

function aloneSide(backend: string): Side<TrainingStep> {
  return halfStep(backend, `${backend}, 2 × one worker's kernels`);
}

function atOnceSide(backend: string): Side<TrainingStep> {
  const workers = [1, 2].map((worker) => halfStep(backend, `${backend}, worker ${worker}`));
  const each = async <Result>(
    act: (worker: Side<TrainingStep>) => Promise<Result>,
  ): Promise<readonly Result[]> => {
    const acts = workers.map(act);
    // Who is measured next has none of them beside it, also where one fails.
    await Promise.allSettled(acts);
    return Promise.all(acts);
  };
  return {
    name: `${backend}, two workers' kernels at once`,
    async prepare(step) {
      await each((worker) => worker.prepare(step));
    },
    async measure(seconds) {
      const samples = await each((worker) => worker.measure(seconds));
      return { ms: Math.max(...samples.map(({ ms }) => ms)) };
    },
    async close() {
      await each((worker) => worker.close());
    },
  };
}

function halfStep(backend: string, name: string): Side<TrainingStep> {
  return asStep(backendSide(backend, 1), name, (step) => ({ ...step, kind: "halfGradients" }));
}
