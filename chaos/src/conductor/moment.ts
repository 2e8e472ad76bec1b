import { kindOf } from "../faults/index.js";
import type { ScheduledFault } from "../schedule/index.js";
import type { Passing } from "./passing.js";
import type { Slot } from "./slot.js";

/** Whether the message that passes is what the fault waits for. */
export function isMoment(fault: ScheduledFault, slot: Slot, passing: Passing): boolean {
  const { at } = fault;
  const { phase, step, count, message } = passing;
  if (fault.slot !== 0 && fault.slot !== slot.number) return false;
  if (at.phase !== phase || step < at.step) return false;
  if (step === at.step && count !== at.nth) return false;
  return kindOf(fault).takes?.(message) !== false;
}
