import type { FaultValues } from "../schedule/index.js";

/** A change of one built file. */
export interface SourceChange {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands there once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutation {
  readonly name: string;
  /** Number of the promise in the README that it breaks; 0: of what the validator checks beside them. */
  readonly promise: number;
  readonly changes: readonly SourceChange[];
  /** The fault under which it shows, with three workers; undefined: without any. */
  readonly fault:
    | {
        readonly kind: string;
        readonly slot: number;
        readonly phase: string;
        readonly step: number;
        readonly values?: FaultValues;
      }
    | undefined;
  /** The check that must notice. */
  readonly noticedBy: string;
}

const COORDINATOR = "apps/coordinator/dist";
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
    name: "stepsAppendedAgain",
    promise: 3,
    changes: [
      {
        file: `${COORDINATOR}/ledger/run-ledger.js`,
        find: "if (before === undefined)",
        replace: "if (before !== null)",
      },
    ],
    fault: { kind: "coordinatorKill", slot: 0, phase: "upload", step: 15 },
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
    fault: { kind: "coordinatorKill", slot: 0, phase: "upload", step: 15 },
    noticedBy: "ending",
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
