/** What an agent is told, at its process's start and later. */

import type { Mutation } from "../mutations/index.js";

/** A death around the ledger line of the first step from `step` on. */
export interface LedgerFault {
  readonly faultId: number;
  readonly step: number;
  readonly when: "before" | "after";
}

/** Trouble with the files of the first checkpoint from `step` on. */
export interface DiskFault {
  readonly faultId: number;
  readonly step: number;
  readonly kind: "full" | "readOnly" | "failing" | "slow" | "torn";
  /** Which write of that checkpoint, from 1. */
  readonly nth: number;
}

export interface AgentOrders {
  /** Socket of the desk, to report to. */
  readonly desk: string;
  /** File that firings are appended to, each before it takes effect. */
  readonly firings: string;
  readonly ledger: readonly LedgerFault[];
  readonly disk: readonly DiskFault[];
  /** What is broken on purpose, to see that the validator notices. */
  readonly mutation: Mutation | undefined;
}

/** Faults of the moment. */
export type AgentCommand =
  /** The event loop stands still. */
  | { readonly kind: "block"; readonly milliseconds: number }
  /** An exception that nobody catches. */
  | { readonly kind: "throw" }
  /** The heap is filled until V8 gives up. */
  | { readonly kind: "exhaustMemory" }
  /** The wall clock jumps; monotonic clocks go on. */
  | { readonly kind: "jumpClock"; readonly milliseconds: number };
