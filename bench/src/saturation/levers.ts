/** What could be changed about a cluster, each alone. */
import type { Scenario } from "./simulation/index.js";

type Cluster = Omit<Scenario, "numWorkers">;

export interface Lever {
  readonly name: string;
  readonly pull: (cluster: Cluster) => Cluster;
}

const LARGER_BATCH = 4;
/** Of the parameters in an embedding, and of its rows touched in a step. */
const EMBEDDING_PART = 0.5;
const TOUCHED_PART = 0.1;

export const LEVERS: readonly Lever[] = [
  { name: "as it is", pull: (cluster) => cluster },
  {
    name: "each leaf uploaded by itself",
    pull: (cluster) => ({ ...cluster, uploadsLeaves: true }),
  },
  { name: "bfloat16 gradients", pull: (cluster) => ({ ...cluster, uploadFraction: 0.5 }) },
  {
    name: "half of it an embedding, a tenth of its rows touched",
    pull: (cluster) => ({
      ...cluster,
      uploadFraction: 1 - EMBEDDING_PART + EMBEDDING_PART * TOUCHED_PART,
    }),
  },
  {
    name: `${LARGER_BATCH} times the global batch`,
    pull: (cluster) => ({ ...cluster, microShards: LARGER_BATCH * cluster.microShards }),
  },
  {
    name: "local workers, parameters in shared memory",
    pull: (cluster) => ({ ...cluster, isLocal: true }),
  },
  {
    // Nobody's plan, but the bound of all that makes the coordinator's own part cheaper.
    name: "a main thread that takes no time",
    pull: (cluster) => ({
      ...cluster,
      costs: { ...cluster.costs, stepMs: 0, sendMs: 0, receiveMs: 0 },
    }),
  },
];
