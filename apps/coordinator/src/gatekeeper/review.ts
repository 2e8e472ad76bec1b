/** What follows from how an inquiry stands: who is asked next, who is accused, which result goes through. */

import type { Clock } from "@ostinato/runtime";
import { CoordinatorError } from "../errors/index.js";
import type { Metrics } from "../ops/index.js";
import type { Vote } from "./ballot.js";
import type { Inquiry, Outcome } from "./inquiry.js";
import type { NodeNorm, NormReference } from "./norm-reference.js";
import { sizeOf } from "./recomputation.js";
import {
  accusation,
  dataNotice,
  disagreement,
  inconclusive,
  tieNotice,
  unsteadiness,
} from "./sentences.js";

export interface ReviewOptions {
  readonly step: number;
  /** How long another worker is waited for where those that are here disagree for good, or can't tell. */
  readonly tieMs: number;
}

export interface Culprit {
  readonly workerId: string;
  /** Under which its wrong result came. */
  readonly fence: number;
  readonly leaves: readonly number[];
  readonly reason: string;
}

export interface ReviewEffects {
  /** Whether any worker is here, of whatever numerics profile. */
  readonly isAnybodyHere: () => boolean;
  /** The worker's machine is to blame, for certain, as this inquiry shows, which is not over yet. */
  readonly accuse: (culprit: Culprit, inquiry: Inquiry) => void;
  readonly describeSamples: (leaves: readonly number[]) => string;
  readonly notify: (level: "info" | "warn", text: string) => void;
  readonly fail: (error: Error) => void;
}

export interface ReviewModules {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "verdicts">;
  readonly reference: NormReference;
  readonly effects: ReviewEffects;
  /** The norms of the step's other nodes. */
  readonly peersOf: (inquiry: Inquiry) => readonly NodeNorm[];
}

export type Reviewed =
  | { readonly kind: "ask"; readonly workers: readonly string[] }
  /** `isFirst`: it is the result that was held. */
  | { readonly kind: "settled"; readonly outcome: Outcome | undefined; readonly isFirst: boolean }
  /** Nobody is left who could tell: the result is dropped, and its leaves are computed by those that are here. */
  | { readonly kind: "dropped" }
  | { readonly kind: "waits" };

export class Reviewer {
  readonly #options: ReviewOptions;
  readonly #modules: ReviewModules;
  #hasFailed = false;

  constructor(options: ReviewOptions, modules: ReviewModules) {
    this.#options = options;
    this.#modules = modules;
  }

  review(inquiry: Inquiry): Reviewed {
    while (!inquiry.isBusy && !this.#hasFailed) {
      const standing = inquiry.standing();
      switch (standing.kind) {
        case "agreed":
          return this.#settle(inquiry, standing.digest, standing.against);
        case "unsteady": {
          const { votes } = standing;
          const [{ workerId }] = votes;
          this.#accuse(inquiry, workerId, unsteadiness(this.#options.step, inquiry, votes));
          inquiry.exclude(workerId);
          break;
        }
        case "ask":
          inquiry.askedSinceMs ??= this.#modules.clock.now();
          return standing.workers.length > 0
            ? this.#asks(inquiry, standing)
            : this.#nobody(inquiry);
        case "tied":
          this.#tied(inquiry);
          return { kind: "waits" };
        default:
          return standing satisfies never;
      }
    }
    return { kind: "waits" };
  }

  #settle(inquiry: Inquiry, digest: string, against: readonly Vote[]): Reviewed {
    const { step } = this.#options;
    const voters = inquiry.voters(digest);
    for (const vote of new Map(against.map((each) => [each.workerId, each])).values()) {
      this.#accuse(inquiry, vote.workerId, accusation(step, inquiry, vote, { digest, voters }));
    }
    const isFirst = inquiry.isFirst(digest);
    if (isFirst && inquiry.cause === "norm") this.#reportData(inquiry, voters);
    else if (against.length === 0) this.#modules.metrics.verdicts.inc({ verdict: "agreed" });
    return { kind: "settled", outcome: inquiry.take(digest), isFirst };
  }

  #reportData(inquiry: Inquiry, voters: readonly string[]): void {
    const { effects, metrics, peersOf, reference } = this.#modules;
    metrics.verdicts.inc({ verdict: "data" });
    const times = reference.timesUsual(sizeOf(inquiry.first.upload), peersOf(inquiry));
    const samples = effects.describeSamples(conspicuousLeaves(inquiry, times > 1));
    effects.notify("warn", dataNotice(this.#options.step, inquiry, { times, voters, samples }));
  }

  #accuse(inquiry: Inquiry, workerId: string, reason: string): void {
    const { effects, metrics } = this.#modules;
    metrics.verdicts.inc({ verdict: "machine" });
    const { leaves } = inquiry;
    effects.accuse({ workerId, fence: inquiry.fenceOf(workerId), leaves, reason }, inquiry);
  }

  #asks(inquiry: Inquiry, standing: Extract<Reviewed, { kind: "ask" }>): Reviewed {
    inquiry.nobodySinceMs = undefined;
    return standing;
  }

  /**
   * Workers of other numerics profiles compute other bits: they can't tell, but they can compute the step.
   * While nobody at all is here there is nothing to decide.
   */
  #nobody(inquiry: Inquiry): Reviewed {
    const { clock, effects, metrics } = this.#modules;
    const { step, tieMs } = this.#options;
    inquiry.nobodySinceMs ??= clock.now();
    const waitedMs = clock.now() - inquiry.nobodySinceMs;
    if (waitedMs < tieMs || !effects.isAnybodyHere()) return { kind: "waits" };
    metrics.verdicts.inc({ verdict: "inconclusive" });
    // One that was to be audited is as good as any other; an odd one that nobody vouches for is not.
    const undisputed = inquiry.cause === "audit" ? inquiry.undisputed : undefined;
    const counts = undisputed !== undefined;
    effects.notify("warn", inconclusive(step, inquiry, { waitedMs, counts }));
    if (undisputed === undefined) return { kind: "dropped" };
    return { kind: "settled", outcome: inquiry.take(undisputed), isFirst: true };
  }

  #tied(inquiry: Inquiry): void {
    const { clock, effects, metrics } = this.#modules;
    const { step, tieMs } = this.#options;
    if (inquiry.tiedSinceMs === undefined) {
      inquiry.tiedSinceMs = clock.now();
      effects.notify("warn", tieNotice(step, inquiry, tieMs));
    } else if (clock.now() - inquiry.tiedSinceMs >= tieMs) {
      this.#hasFailed = true;
      metrics.verdicts.inc({ verdict: "undecided" });
      effects.fail(new CoordinatorError("workersDisagree", disagreement(step, inquiry)));
    }
  }
}

/** Those whose norm makes that of the node: within a factor of two of the largest (or smallest) per loss weight. */
function conspicuousLeaves(inquiry: Inquiry, isLarge: boolean): readonly number[] {
  const parts = inquiry.parts
    .filter(({ size }) => size.weight > 0)
    .map(({ node, size }) => ({ node, level: size.norm / size.weight }));
  if (parts.length === 0) return inquiry.leaves;
  const levels = parts.map(({ level }) => level);
  const extreme = isLarge ? Math.max(...levels) : Math.min(...levels);
  return parts
    .filter(({ level }) => (isLarge ? level >= extreme / 2 : level <= extreme * 2))
    .flatMap(({ node }) => Array.from({ length: node.numLeaves }, (_, i) => node.firstLeaf + i))
    .sort((a, b) => a - b);
}
