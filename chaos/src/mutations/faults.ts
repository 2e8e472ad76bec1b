/** The faults of several mutations. */

import type { MutationFault } from "./mutation.js";

export const WORKER_KILL: MutationFault = { kind: "workerKill", slot: 2, phase: "lease", step: 8 };

export const COORDINATOR_FREEZE: MutationFault = {
  ...{ kind: "coordinatorFreeze", slot: 0, phase: "lease", step: 5 },
};

export const COORDINATOR_KILL: MutationFault = {
  ...{ kind: "coordinatorKill", slot: 0, phase: "upload", step: 15 },
};

export const BIT_FLIP: MutationFault = {
  ...{ kind: "frameBitFlip", slot: 2, phase: "upload", step: 8, values: { bit: 30 } },
};
