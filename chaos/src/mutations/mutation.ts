import type { FaultValues } from "../schedule/index.js";

/** A change of one built file. */
export interface SourceChange {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands there once. */
  readonly find: string;
  readonly replace: string;
}

export interface MutationFault {
  readonly kind: string;
  readonly slot: number;
  readonly phase: string;
  readonly step: number;
  /** 1 unless given. */
  readonly nth?: number;
  readonly values?: FaultValues;
}

export interface Mutation {
  readonly name: string;
  /** Number of the promise in the README that it breaks; 0: of what the validator checks beside them. */
  readonly promise: number;
  readonly changes: readonly SourceChange[];
  /** The run it shows in; "text" unless given. */
  readonly run?: string;
  /** Three unless given. */
  readonly workers?: number;
  /** Those under which it shows, in the order of their steps. */
  readonly faults: readonly MutationFault[];
  /** The check that must notice. */
  readonly noticedBy: string;
}
