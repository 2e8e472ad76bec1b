/** What comes between a whole, checked upload and the gradient tree of its step. */

import type { NodeId } from "@ostinato/proto";
import type { Clock } from "@ostinato/runtime";
import { CoordinatorError } from "../errors/index.js";
import type { Metrics } from "../ops/index.js";
import type { Vote } from "./ballot.js";
import { Inquiry } from "./inquiry.js";
import type { Cause, InquiryModules, NodeResult } from "./inquiry.js";
import type { NodeNorm, NormReference } from "./norm-reference.js";
import { sizeOf } from "./recomputation.js";
import {
  accusation,
  dataNotice,
  disagreement,
  tieNotice,
  unsteadiness,
  untilEnd,
  waitOfAsking,
  waitOfTied,
} from "./sentences.js";

export interface GateOptions {
  readonly step: number;
  /** The leaf whose node is audited; undefined: none is. */
  readonly auditedLeaf: number | undefined;
  /** How long a third worker is waited for where two disagree. */
  readonly tieMs: number;
}

export interface GateEffects {
  /** Into the gradient tree. */
  readonly admit: (result: NodeResult) => void;
  /** Its leaves need not be computed for now. */
  readonly hold: (result: NodeResult) => void;
  /** Who could compute what this worker did to the same bits; asked again and again, the worker being here or not. */
  readonly electorate: (workerId: string) => InquiryModules["electorate"];
  /** The worker's machine is to blame, for certain. */
  readonly accuse: (culprit: {
    readonly workerId: string;
    readonly fence: number;
    readonly leaves: readonly number[];
    readonly reason: string;
  }) => void;
  /** Not finite on more than one worker. */
  readonly nonFinite: (node: NodeId, detail: string) => void;
  readonly describeSamples: (leaves: readonly number[]) => string;
  readonly notify: (level: "info" | "warn", text: string) => void;
  readonly fail: (error: Error) => void;
  readonly dispatch: () => void;
}

export interface GateModules extends Omit<InquiryModules, "electorate"> {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "suspects" | "audits" | "verdicts">;
  readonly reference: NormReference;
  readonly effects: GateEffects;
}

/** What a step waits for at the gate, and what will be then, in words. */
export interface GateWait {
  /** Such as "another worker: …". */
  readonly what: string;
  readonly next: string;
  readonly sinceMs: number;
}

/** A node to be computed once more by any of these workers. */
export interface CheckRequest {
  readonly node: NodeId;
  readonly workers: readonly string[];
  /** One of them does it. */
  readonly begin: (workerId: string, fence: number) => void;
}

/** So many results wait at most for more of their step to be compared with; each is a gradient in memory. */
const MAX_WAITING = 4;

/**
 * The gate of one step. A result whose norm is like that of the steps before goes through at once. Any
 * other waits until the step's other nodes are in; is it far from them too, others compute it again, and what
 * two agree on, to the bit, goes through. So the gate decides who is to blame and never what the gradient is.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #modules: GateModules;
  readonly #sizes = new Map<number, NodeNorm>();
  #waiting: NodeResult[] = [];
  readonly #inquiries = new Map<number, Inquiry>();
  #isClosed = false;

  constructor(options: GateOptions, modules: GateModules) {
    this.#options = options;
    this.#modules = modules;
  }

  receive(result: NodeResult): void {
    const { effects, reference } = this.#modules;
    const size = sizeOf(result.upload);
    this.#sizes.set(result.upload.node.firstLeaf, size);
    if (this.#isAudited(result)) {
      effects.hold(result);
      this.#inquire("audit", result);
    } else if (reference.isFarFromHistory(size) === false) {
      effects.admit(result);
    } else {
      effects.hold(result);
      this.#waiting.push(result);
      if (this.#waiting.length > MAX_WAITING) this.#judge();
    }
  }

  /** Every leaf is in or held: there is nothing more to compare with. */
  allIn(): void {
    this.#judge();
  }

  /** Concludes what can be, and says what else is to be computed. */
  review(): readonly CheckRequest[] {
    return [...this.#inquiries.values()].flatMap((inquiry) => this.#review(inquiry) ?? []);
  }

  /** A part of a node that was to be computed once more; takes its buffer over. */
  receiveCheck(fence: number, upload: NodeResult["upload"]): void {
    const inquiry = this.#inquiryOf(fence);
    if (inquiry === undefined) this.#modules.release(upload.gradient);
    else this.#follow(inquiry.receive(upload));
  }

  checkNotFinite(fence: number, fingerprint: number, detail: string): void {
    const inquiry = this.#inquiryOf(fence);
    if (inquiry !== undefined) this.#follow(inquiry.receiveNotFinite(fingerprint, detail));
  }

  /** The lease of a check is gone before all of it was in. */
  checkLost(fence: number): void {
    const inquiry = this.#inquiryOf(fence);
    if (inquiry !== undefined) this.#follow(inquiry.abandon());
  }

  /** What the step waits for while no lease does; undefined if it is nothing, or something of ours. */
  get wait(): GateWait | undefined {
    for (const inquiry of this.#inquiries.values()) {
      const { isBusy, tiedSinceMs, askedSinceMs } = inquiry;
      if (isBusy) continue;
      if (tiedSinceMs !== undefined) {
        const leftMs = tiedSinceMs + this.#options.tieMs - this.#modules.clock.now();
        return { sinceMs: tiedSinceMs, ...waitOfTied(inquiry), ...untilEnd(leftMs) };
      }
      if (askedSinceMs !== undefined) return { sinceMs: askedSinceMs, ...waitOfAsking(inquiry) };
    }
    return undefined;
  }

  /** The step is collected: later ones are compared with it. */
  commit(): void {
    this.#modules.reference.commit([...this.#sizes.values()]);
  }

  /** Gives back whatever is still held. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { upload } of this.#waiting.splice(0)) this.#modules.release(upload.gradient);
    const open = [...this.#inquiries.values()];
    this.#inquiries.clear();
    await Promise.all(open.map((inquiry) => inquiry.close()));
  }

  #isAudited({ upload: { node }, workerId }: NodeResult): boolean {
    const { auditedLeaf } = this.#options;
    if (auditedLeaf === undefined) return false;
    const { firstLeaf, numLeaves } = node;
    if (auditedLeaf < firstLeaf || auditedLeaf >= firstLeaf + numLeaves) return false;
    return this.#modules.effects
      .electorate(workerId)()
      .some((id) => id !== workerId);
  }

  #judge(): void {
    const { reference, effects } = this.#modules;
    const waiting = this.#waiting.splice(0);
    // All by the same sizes, before any of them goes.
    const judged = waiting.map((result) => ({
      result,
      isOutlier: reference.isOutlier(sizeOf(result.upload), this.#peersOf(result.upload.node)),
    }));
    for (const { result, isOutlier } of judged) {
      if (isOutlier) this.#inquire("norm", result);
      else effects.admit(result);
    }
  }

  #peersOf({ firstLeaf }: NodeId): readonly NodeNorm[] {
    return [...this.#sizes].flatMap(([first, size]) => (first === firstLeaf ? [] : [size]));
  }

  #inquire(cause: Cause, first: NodeResult): void {
    const { metrics, effects, add, release, sha256 } = this.#modules;
    (cause === "norm" ? metrics.suspects : metrics.audits).inc();
    const electorate = effects.electorate(first.workerId);
    const inquiry = new Inquiry(cause, first, { add, release, sha256, electorate });
    this.#inquiries.set(inquiry.node.firstLeaf, inquiry);
    this.#follow(inquiry.open());
  }

  #inquiryOf(fence: number): Inquiry | undefined {
    return [...this.#inquiries.values()].find((inquiry) => inquiry.fence === fence);
  }

  /** Goes on with what follows from an answer, once it is taken down. */
  #follow(answer: Promise<void>): void {
    const { effects } = this.#modules;
    answer.then(
      () => {
        if (!this.#isClosed) effects.dispatch();
      },
      (error: unknown) => {
        effects.fail(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #review(inquiry: Inquiry): CheckRequest | undefined {
    while (!this.#isClosed && !inquiry.isBusy) {
      const standing = inquiry.standing();
      switch (standing.kind) {
        case "agreed":
          this.#conclude(inquiry, standing.digest, standing.against);
          return undefined;
        case "unsteady": {
          const [{ workerId }] = standing.votes;
          this.#accuse(
            inquiry,
            workerId,
            unsteadiness(this.#options.step, inquiry, standing.votes),
          );
          inquiry.exclude(workerId);
          break;
        }
        case "ask": {
          const { node } = inquiry;
          inquiry.askedSinceMs ??= this.#modules.clock.now();
          return {
            node,
            workers: standing.workers,
            begin: (workerId, fence) => {
              inquiry.ask(workerId, fence);
            },
          };
        }
        case "tied":
          this.#tied(inquiry);
          return undefined;
        default:
          return standing satisfies never;
      }
    }
    return undefined;
  }

  #conclude(inquiry: Inquiry, digest: string, against: readonly Vote[]): void {
    const { effects, metrics } = this.#modules;
    const { step } = this.#options;
    const { firstLeaf } = inquiry.node;
    this.#inquiries.delete(firstLeaf);
    const voters = inquiry.voters(digest);
    for (const vote of new Map(against.map((each) => [each.workerId, each])).values()) {
      this.#accuse(inquiry, vote.workerId, accusation(step, inquiry, vote, { digest, voters }));
    }
    const isFirst = inquiry.isFirst(digest);
    if (isFirst && inquiry.cause === "norm") this.#reportData(inquiry, voters);
    else if (against.length === 0) metrics.verdicts.inc({ verdict: "agreed" });
    // That of a result which others gave in place of the first is not known.
    if (!isFirst) this.#sizes.delete(firstLeaf);
    const outcome = inquiry.take(digest);
    if (outcome === undefined) return;
    if ("result" in outcome) effects.admit(outcome.result);
    else effects.nonFinite(inquiry.node, outcome.notFinite);
  }

  #reportData(inquiry: Inquiry, voters: readonly string[]): void {
    const { effects, metrics, reference } = this.#modules;
    metrics.verdicts.inc({ verdict: "data" });
    const times = reference.timesUsual(sizeOf(inquiry.first.upload), this.#peersOf(inquiry.node));
    const leaves = conspicuousLeaves(inquiry, times > 1);
    const samples = effects.describeSamples(leaves);
    effects.notify("warn", dataNotice(this.#options.step, inquiry, { times, voters, samples }));
  }

  #accuse(inquiry: Inquiry, workerId: string, reason: string): void {
    this.#modules.metrics.verdicts.inc({ verdict: "machine" });
    const { leaves } = inquiry;
    this.#modules.effects.accuse({ workerId, fence: inquiry.fenceOf(workerId), leaves, reason });
  }

  #tied(inquiry: Inquiry): void {
    const { clock, effects, metrics } = this.#modules;
    const { step, tieMs } = this.#options;
    if (inquiry.tiedSinceMs === undefined) {
      inquiry.tiedSinceMs = clock.now();
      effects.notify("warn", tieNotice(step, inquiry, tieMs));
    } else if (clock.now() - inquiry.tiedSinceMs >= tieMs) {
      this.#isClosed = true; // said once
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
