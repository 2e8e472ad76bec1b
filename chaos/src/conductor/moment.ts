import { kindOf } from "../faults/index.js";
import type { ScheduledFault } from "../schedule/index.js";
import type { Passing } from "./passing.js";
import type { Slot } from "./slot.js";

/** A worker that one slow lease made look slow gets nothing for a while: after so many steps another one will do. */
const STEPS_OF_ITS_OWN = 4;

/** Whether the message that passes is what the fault waits for. */
export function isMoment(fault: ScheduledFault, slot: Slot, passing: Passing): boolean {
  const { at } = fault;
  const { phase, step, count, message } = passing;
  const isOfAny = fault.slot === 0 || step > at.step + STEPS_OF_ITS_OWN;
  if (!isOfAny && fault.slot !== slot.number) return false;
  if (at.phase !== phase || step < at.step) return false;
  if (step === at.step && count !== at.nth) return false;
  return kindOf(fault).takes?.(message) !== false;
}
