/**
 * A seed's faults: the same seed, the same schedule, whatever the machine. Pure.
 *
 * @example
 * const { workers, faults } = drawSchedule(42, CATALOGUE);
 */
export { describeFault, drawSchedule, seedsPerBlock } from "./schedule.js";
export type {
  FaultKindToDraw,
  FaultValues,
  Moment,
  Random,
  Schedule,
  ScheduledFault,
} from "./schedule.js";
