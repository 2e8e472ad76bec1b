/** Who claims a run. */

import type { Processes } from "./process-identity.js";

/** The time a claim lives by; a Clock of libs/runtime is one. */
export interface ClaimClock {
  wallTime(): Date;
  setTimer(delayMs: number, fire: () => void): { cancel(): void };
}

/** Who claims a run. */
export interface Claimant {
  readonly processes: Processes;
  readonly clock: ClaimClock;
  /** A holder without a heartbeat for as long is given up. */
  readonly deadlineMs: number;
  /** Ends the wait for a holder of whom it is not known whether it lives. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, in a sentence, when there is such a wait. */
  readonly onWait?: ((text: string) => void) | undefined;
}
