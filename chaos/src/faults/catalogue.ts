import type { ScheduledFault } from "../schedule/index.js";
import { COORDINATOR_FAULTS } from "./coordinator.js";
import { DISK_FAULTS } from "./disk.js";
import type { FaultKind } from "./fault-kind.js";
import { LINK_FAULTS } from "./link.js";
import { MEMBERSHIP_FAULTS } from "./membership.js";
import { PROCESS_FAULTS } from "./process.js";
import { SURROUNDINGS_FAULTS } from "./surroundings.js";
import { UPLOAD_FAULTS } from "./uploads/index.js";

export const CATALOGUE: readonly FaultKind[] = [
  ...PROCESS_FAULTS,
  ...UPLOAD_FAULTS,
  ...LINK_FAULTS,
  ...DISK_FAULTS,
  ...COORDINATOR_FAULTS,
  ...SURROUNDINGS_FAULTS,
  ...MEMBERSHIP_FAULTS,
];

const kinds = new Map(CATALOGUE.map((kind) => [kind.kind, kind]));

/** @throws RangeError for a kind that is none */
export function kindOf({ kind }: Pick<ScheduledFault, "kind">): FaultKind {
  const found = kinds.get(kind);
  if (found === undefined) {
    throw new RangeError(`${kind} is no kind of fault; there are ${[...kinds.keys()].join(", ")}`);
  }
  return found;
}
