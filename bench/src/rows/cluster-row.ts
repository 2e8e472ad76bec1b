import { join } from "node:path";

import type { TrainingStep } from "../cases/index.js";
import { ClusterSide } from "../cluster/index.js";
import type { Side } from "../sides/index.js";
import { compare } from "./context.js";
import type { RowContext } from "./context.js";
import { stepCases } from "./step-row.js";

/** Of two workers, to DistributedDataParallel with two processes. */
const DISTRIBUTED_BAR = 2;
/** Of two workers, to one process with two threads. */
const THREADED_BAR = 1;

/** A coordinator and two workers, and three for the record, as processes of their own. */
export async function clusterRow(context: RowContext): Promise<void> {
  const { backends, pytorch } = context;
  const clusters = backends.flatMap((backend) =>
    [2, 3].map((numWorkers) => clusterSide(context, backend, numWorkers)),
  );
  const threaded = pytorch?.side(2, "pytorch, 2 threads");
  const distributed = pytorch?.distributedSide();
  const peers: readonly (Side<TrainingStep> | undefined)[] = [distributed, threaded];
  await compare<TrainingStep>("cluster", context, {
    cases: stepCases(context.isQuick).slice(0, context.isQuick ? 1 : undefined),
    sides: [...clusters, ...peers.filter((peer) => peer !== undefined)],
    comparisons: () => ({
      own: clusters.map(({ name }) => name),
      barOf(own, other) {
        if (own.endsWith("×3")) return null;
        return other === distributed?.name ? DISTRIBUTED_BAR : THREADED_BAR;
      },
    }),
    rounds: clusterRounds(context),
  });
}

export function clusterSide(
  { folder }: RowContext,
  backend: string,
  numWorkers: number,
): ClusterSide {
  return new ClusterSide({
    name: `${backend} ×${numWorkers}`,
    ...{ backend, numWorkers },
    folder: join(folder, `cluster-${backend}-${numWorkers}`),
  });
}

/** A cluster is started for each measurement: fewer and longer ones. */
export function clusterRounds({ rounds, isQuick }: RowContext): RowContext["rounds"] {
  if (isQuick) return rounds;
  return { rounds: Math.ceil(rounds.rounds / 2), seconds: 10 * rounds.seconds };
}
