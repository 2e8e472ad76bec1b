/** What the gate of a step is given, what it asks for, and what it tells. */

import type { NodeId } from "@ostinato/proto";
import type { Clock } from "@ostinato/runtime";
import type { Metrics } from "../ops/index.js";
import type { InquiryModules, NodeResult } from "./inquiry.js";
import type { NormReference } from "./norm-reference.js";
import type { Culprit, ReviewEffects, ReviewOptions } from "./review.js";

export interface GateOptions extends ReviewOptions {
  /** The leaf whose node is audited; undefined: none is. */
  readonly auditedLeaf: number | undefined;
}

export interface GateEffects extends Omit<ReviewEffects, "accuse"> {
  /** The worker's machine is to blame, for certain. */
  readonly accuse: (culprit: Culprit) => void;
  /**
   * Nothing that this worker sent for the step counts, neither what was admitted nor what is held.
   *
   * @returns the leaves of which there is no result any more
   */
  readonly expel: (workerId: string, held: readonly NodeResult[]) => readonly number[];
  /** A check of which nothing is to be had any more. */
  readonly revoke: (fence: number, reason: string) => void;
  /** Into the gradient tree. */
  readonly admit: (result: NodeResult) => void;
  /** Its leaves need not be computed for now. */
  readonly hold: (result: NodeResult) => void;
  /** The opposite of `hold`: it is dropped, and its leaves are to be computed. */
  readonly drop: (result: NodeResult) => void;
  /** Who could compute what this worker did to the same bits; asked again and again, the worker being here or not. */
  readonly electorate: (workerId: string) => InquiryModules["electorate"];
  /** Not finite on more than one worker. */
  readonly nonFinite: (node: NodeId, detail: string) => void;
  readonly dispatch: () => void;
}

export interface GateModules extends Omit<InquiryModules, "electorate" | "supersede"> {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "suspects" | "audits" | "verdicts">;
  readonly reference: NormReference;
  readonly effects: GateEffects;
}

/** A node to be computed once more by any of these workers. */
export interface CheckRequest {
  readonly node: NodeId;
  readonly workers: readonly string[];
  /** One of them does it. */
  readonly begin: (workerId: string, fence: number) => void;
}
