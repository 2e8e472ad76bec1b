/** Promises 5 to 8, and what is checked beside them: what a run says, lets in and holds. */

import { BIT_FLIP, WORKER_KILL } from "./faults.js";
import type { Mutation } from "./mutation.js";

const COORDINATOR = "apps/coordinator/dist";

export const MUTATIONS_OF_CONDUCT: readonly Mutation[] = [
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
    faults: [{ kind: "workerStaysAway", slot: 2, phase: "lease", step: 8 }],
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
    faults: [BIT_FLIP],
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
    faults: [{ kind: "uploadForeignJob", slot: 2, phase: "begin", step: 8 }],
    noticedBy: "observed",
  },
  {
    name: "wrongWorkerBlamed",
    promise: 6,
    changes: [
      {
        file: `${COORDINATOR}/training/intake.js`,
        find: "warn({ worker, fence: begin.fence,",
        replace: 'warn({ worker: "worker-1-9", fence: begin.fence,',
      },
    ],
    faults: [BIT_FLIP],
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
    faults: [BIT_FLIP],
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
    faults: [{ kind: "gradientTooLarge", slot: 2, phase: "upload", step: 8 }],
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
    faults: [WORKER_KILL],
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
    faults: [],
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
    faults: [{ kind: "listenOpenly", slot: 0, phase: "lease", step: 8 }],
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
    faults: [{ kind: "joinStorm", slot: 0, phase: "lease", step: 8, values: { joins: 60 } }],
    noticedBy: "resources",
  },
  {
    name: "filesLeftOpenByWorkers",
    promise: 0,
    changes: [
      {
        file: "apps/worker/dist/session/attached-stream.js",
        find: "this.#runner.add(message.lease);",
        replace:
          'process.getBuiltinModule("node:fs").openSync("/dev/null", "r");\n' +
          "this.#runner.add(message.lease);",
      },
    ],
    faults: [],
    noticedBy: "resources",
  },
];
