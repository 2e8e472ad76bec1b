/** What a step waits for at the gate. Pure. */

import type { Inquiry } from "./inquiry.js";
import { untilDropped, untilEnd, waitOfAsking, waitOfProfile, waitOfTied } from "./sentences.js";

/** What a step waits for at the gate, and what will be then, in words. */
export interface GateWait {
  /** Such as "another worker: …". */
  readonly what: string;
  readonly next: string;
  readonly sinceMs: number;
}

export interface WaitFacts {
  /** How long another worker is waited for; see `ReviewOptions`. */
  readonly tieMs: number;
  readonly nowMs: number;
  readonly isAnybodyHere: boolean;
}

/** @returns undefined while the step waits for nothing of these inquiries but leases, or us */
export function waitOf(inquiries: readonly Inquiry[], facts: WaitFacts): GateWait | undefined {
  const leftOf = (sinceMs: number): number => sinceMs + facts.tieMs - facts.nowMs;
  for (const inquiry of inquiries) {
    const { isBusy, tiedSinceMs, askedSinceMs, nobodySinceMs } = inquiry;
    if (isBusy) continue;
    if (tiedSinceMs !== undefined) {
      return { sinceMs: tiedSinceMs, ...waitOfTied(inquiry), ...untilEnd(leftOf(tiedSinceMs)) };
    }
    if (nobodySinceMs !== undefined && facts.isAnybodyHere) {
      const next = untilDropped(leftOf(nobodySinceMs));
      return { sinceMs: nobodySinceMs, ...waitOfProfile(inquiry), ...next };
    }
    if (askedSinceMs !== undefined) return { sinceMs: askedSinceMs, ...waitOfAsking(inquiry) };
  }
  return undefined;
}
