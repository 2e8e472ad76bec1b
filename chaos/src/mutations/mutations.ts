import type { Mutation } from "./mutation.js";

const COORDINATOR = "apps/coordinator/dist";
const WORKER_KILL = { kind: "workerKill", slot: 2, phase: "lease", step: 8 };
const COORDINATOR_KILL = { kind: "coordinatorKill", slot: 0, phase: "upload", step: 15 };
const BIT_FLIP = { kind: "frameBitFlip", slot: 2, phase: "upload", step: 8, values: { bit: 30 } };

export const MUTATIONS: readonly Mutation[] = [
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
    fault: undefined,
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
    fault: {
      ...{ kind: "workerKill", slot: 1, phase: "end", step: 8, nth: 3 },
      values: { silentMs: 1000 },
    },
    noticedBy: "lostWork",
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
    fault: WORKER_KILL,
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
    fault: COORDINATOR_KILL,
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
    fault: COORDINATOR_KILL,
    noticedBy: "ending",
  },
  {
    name: "stallsNotTold",
    promise: 5,
    changes: [
      {
        file: `${COORDINATOR}/ops/autopsy/stall-watch.js`,
        find: 'notify("warn", stall.text);',
        replace: "",
      },
    ],
    fault: { kind: "workerStaysAway", slot: 2, phase: "lease", step: 8 },
    noticedBy: "waits",
  },
  {
    name: "checksumNotChecked",
    promise: 6,
    changes: [
      {
        file: "libs/proto/dist/frames/tensor-frames.js",
        find: "if (actual !== frame.crc32) {",
        replace: "if (actual === undefined) {",
      },
    ],
    fault: BIT_FLIP,
    noticedBy: "observed",
  },
  {
    name: "jobNotChecked",
    promise: 6,
    changes: [
      {
        file: `${COORDINATOR}/training/intake.js`,
        find: "if (claim.jobId !== jobId) {",
        replace: "if (claim.jobId === undefined) {",
      },
    ],
    fault: { kind: "uploadForeignJob", slot: 2, phase: "begin", step: 8 },
    noticedBy: "observed",
  },
  {
    name: "wrongWorkerBlamed",
    promise: 6,
    changes: [
      {
        file: `${COORDINATOR}/training/intake.js`,
        find: "warn({ worker: session.workerId, fence: begin.fence,",
        replace: 'warn({ worker: "worker-1-9", fence: begin.fence,',
      },
    ],
    fault: BIT_FLIP,
    noticedBy: "attribution",
  },
  {
    name: "refusalNotCounted",
    promise: 0,
    changes: [
      {
        file: `${COORDINATOR}/training/intake.js`,
        find: "this.#modules.metrics.uploadsRejected.inc({ reason });",
        replace: "",
      },
    ],
    fault: BIT_FLIP,
    noticedBy: "metrics",
  },
  {
    name: "normsNotCompared",
    promise: 6,
    changes: [
      {
        file: `${COORDINATOR}/gatekeeper/gate.js`,
        find: "reference.isFarFromHistory(size) === false",
        replace: "reference !== undefined",
      },
    ],
    fault: { kind: "gradientTooLarge", slot: 2, phase: "upload", step: 8 },
    noticedBy: "ending",
  },
  {
    name: "joinersLeftOut",
    promise: 7,
    changes: [
      {
        file: `${COORDINATOR}/training/dispatcher.js`,
        find: "const idle = workers.active().filter(({ link }) => link?.isIdle === true);",
        replace:
          "const idle = workers.active().filter(({ link, workerId }) => " +
          'link?.isIdle === true && Number(workerId.split("-")[2]) <= 3);',
      },
    ],
    fault: WORKER_KILL,
    noticedBy: "joiners",
  },
  {
    name: "listensEverywhere",
    promise: 8,
    changes: [
      {
        file: "libs/proto/dist/channel/server.js",
        find: 'const named = isLoopbackName(host) ? "127.0.0.1" : host;',
        replace: 'const named = host === "" ? host : "0.0.0.0";',
      },
    ],
    fault: undefined,
    noticedBy: "listeners",
  },
  {
    name: "listensOpenly",
    promise: 8,
    changes: [
      {
        file: "libs/proto/dist/channel/server.js",
        find: "if (isLoopback(parsed.host) || insecure || isProtected)",
        replace: "if (parsed !== undefined)",
      },
    ],
    fault: { kind: "listenOpenly", slot: 0, phase: "lease", step: 8 },
    noticedBy: "observed",
  },
  {
    name: "filesLeftOpen",
    promise: 0,
    changes: [
      {
        file: `${COORDINATOR}/rpc/handlers.js`,
        find: "const worker = modules.workers.join(",
        replace:
          'process.getBuiltinModule("node:fs").openSync("/dev/null", "r");\n    const worker = modules.workers.join(',
      },
    ],
    fault: { kind: "joinStorm", slot: 0, phase: "lease", step: 8, values: { joins: 60 } },
    noticedBy: "resources",
  },
];

/** @throws RangeError for a name that none has */
export function findMutation(name: string): Mutation {
  const found = MUTATIONS.find((mutation) => mutation.name === name);
  if (found === undefined) {
    const names = MUTATIONS.map((mutation) => mutation.name).join(", ");
    throw new RangeError(`${name} is no mutation; there are ${names}`);
  }
  return found;
}
