/** Promises 1 to 4: what becomes of a run, and at what cost. */

import { COORDINATOR_FREEZE, COORDINATOR_KILL, WORKER_KILL } from "./faults.js";
import type { Mutation } from "./mutation.js";

const COORDINATOR = "apps/coordinator/dist";

export const MUTATIONS_OF_RESULTS: readonly Mutation[] = [
  {
    name: "dividedByWorkers",
    promise: 1,
    changes: [
      {
        file: `${COORDINATOR}/training/trainer.js`,
        find: "lossWeight: totals.lossWeight,",
        replace: "lossWeight: totals.lossWeight * (dispatcher.numWorkers > 1 ? 2 : 1),",
      },
      {
        file: `${COORDINATOR}/training/trainer.js`,
        find: "const { arithmetic, gradients, parameters, versions } = this.#modules;",
        replace:
          "const { arithmetic, dispatcher, gradients, parameters, versions } = this.#modules;",
      },
    ],
    faults: [],
    noticedBy: "ending",
  },
  {
    name: "finishedLeasedAgain",
    promise: 2,
    changes: [
      {
        file: `${COORDINATOR}/training/lease-issuer.js`,
        find: "const nodes = options.nodes ??",
        replace:
          "for (let fence = round.leases.nextFence - 1; fence > 0; fence--) {\n" +
          "  const lost = round.leases.get(fence);\n" +
          '  if (lost?.state !== "revoked") continue;\n' +
          "  leaves = [...new Set([...leaves, ...lost.leaves])].sort((a, b) => a - b);\n" +
          "}\nconst nodes = options.nodes ??",
      },
    ],
    // The only worker dies some time after two of its eight nodes are in: what the next one gets is plain to see.
    ...{ run: "rounded", workers: 1 },
    faults: [
      {
        ...{ kind: "workerKill", slot: 1, phase: "end", step: 8, nth: 3 },
        values: { silentMs: 1000 },
      },
    ],
    noticedBy: "lostWork",
  },
  {
    name: "everythingTwice",
    promise: 2,
    changes: [
      {
        file: `${COORDINATOR}/training/lease-issuer.js`,
        find: "const nodes = options.nodes ??",
        replace:
          "for (let fence = round.leases.nextFence - 1; fence > 0 && !options.nodes; fence--) {\n" +
          "  const other = round.leases.get(fence);\n" +
          '  if (other?.state === "revoked") globalThis.isAfterDeath = true;\n' +
          '  if (!globalThis.isAfterDeath || other?.state !== "active") continue;\n' +
          "  const unfinished = round.leases.unfinished(other);\n" +
          "  leaves = [...new Set([...leaves, ...unfinished])].sort((a, b) => a - b);\n" +
          "}\nconst nodes = options.nodes ??",
      },
    ],
    faults: [WORKER_KILL],
    noticedBy: "doubledWork",
  },
  {
    name: "everybodyRestarts",
    promise: 2,
    changes: [
      {
        file: `${COORDINATOR}/training/dispatcher.js`,
        find: 'this.#releaseLeasesOf(workerId, reason, "lost");',
        replace:
          'this.#releaseLeasesOf(workerId, reason, "lost");\n        ' +
          "if (error !== undefined) for (const { link } of this.#modules.workers.all()) link?.refuse(error);",
      },
    ],
    // A coordinator that stood still excuses those who turned away from it, and nobody after them.
    faults: [COORDINATOR_FREEZE, { ...WORKER_KILL, step: 15 }],
    noticedBy: "bystanders",
  },
  {
    name: "stepsAppendedAgain",
    promise: 3,
    changes: [
      {
        file: `${COORDINATOR}/ledger/run-ledger.js`,
        find: "if (before === undefined)",
        replace: "if (before !== null)",
      },
    ],
    faults: [COORDINATOR_KILL],
    noticedBy: "ledger",
  },
  {
    name: "statesForgotten",
    promise: 4,
    changes: [
      {
        file: `${COORDINATOR}/setup/open-run.js`,
        find: "states: checkpoint?.states ?? new Map(),",
        replace: "states: new Map(),",
      },
    ],
    faults: [COORDINATOR_KILL],
    noticedBy: "ending",
  },
];
