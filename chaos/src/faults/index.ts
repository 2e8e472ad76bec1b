/**
 * The catalogue of faults: what each does when its moment comes, and what shows that it was noticed.
 *
 * @example
 * const kind = kindOf(fault);
 * const instead = await kind.fire({ fault, slot, message, … });
 */
export { CATALOGUE, kindOf } from "./catalogue.js";
export type {
  ClusterHands,
  CoordinatorHands,
  FaultKind,
  FaultMoment,
  Instead,
  PassingMessage,
  Replacement,
  Signs,
  SlotHands,
} from "./fault-kind.js";
export type { PassedUpload } from "./uploads/index.js";
export { passedUpload, repaired, scaled } from "./uploads/index.js";
