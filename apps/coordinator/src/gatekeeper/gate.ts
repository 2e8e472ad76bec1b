/** What comes between a whole, checked upload and the gradient tree of its step. */

import type { NodeId } from "@ostinato/proto";
import type { CheckRequest, GateModules, GateOptions } from "./gate-modules.js";
import { waitOf } from "./gate-wait.js";
import type { GateWait } from "./gate-wait.js";
import { Inquiry } from "./inquiry.js";
import type { Cause, InquiryModules, NodeResult } from "./inquiry.js";
import type { NodeNorm } from "./norm-reference.js";
import { sizeOf } from "./recomputation.js";
import { Reviewer } from "./review.js";
import type { Culprit, Reviewed } from "./review.js";

/** A result that more of its step is to be compared with first. */
interface WaitingResult {
  readonly result: NodeResult;
  /** As of when it came: its worker may be gone when it is judged. */
  readonly electorate: InquiryModules["electorate"];
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
  readonly #reviewer: Reviewer;
  readonly #sizes = new Map<number, NodeNorm>();
  #waiting: WaitingResult[] = [];
  readonly #inquiries = new Map<number, Inquiry>();
  /** Changes with each conviction. */
  #numExpelled = 0;
  #isClosed = false;

  constructor(options: GateOptions, modules: GateModules) {
    this.#options = options;
    this.#modules = modules;
    const peersOf = ({ node }: Inquiry): readonly NodeNorm[] => this.#peersOf(node);
    const accuse = (culprit: Culprit, inquiry: Inquiry): void => {
      modules.effects.accuse(culprit);
      this.#expel(culprit.workerId, inquiry);
    };
    const effects = { ...modules.effects, accuse };
    this.#reviewer = new Reviewer(options, { ...modules, effects, peersOf });
  }

  receive(result: NodeResult): void {
    const { effects, reference } = this.#modules;
    const size = sizeOf(result.upload);
    this.#sizes.set(result.upload.node.firstLeaf, size);
    if (this.#isAudited(result)) {
      effects.hold(result);
      this.#inquire("audit", result, effects.electorate(result.workerId));
    } else if (reference.isFarFromHistory(size) === false) {
      effects.admit(result);
    } else {
      effects.hold(result);
      this.#waiting.push({ result, electorate: effects.electorate(result.workerId) });
      if (this.#waiting.length > MAX_WAITING) this.#judge();
    }
  }

  /** Every leaf is in or held: there is nothing more to compare with. */
  allIn(): void {
    this.#judge();
  }

  /** Concludes what can be, and says what else is to be computed. */
  review(): readonly CheckRequest[] {
    for (;;) {
      const numExpelled = this.#numExpelled;
      const requests = [...this.#inquiries.values()].flatMap((inquiry) => {
        // What one is found out to be may end another.
        const isOpen = this.#inquiries.get(inquiry.node.firstLeaf) === inquiry;
        return isOpen ? (this.#review(inquiry) ?? []) : [];
      });
      // A conviction bears on those as well that were looked at before it: on whether they go on, and who is asked.
      if (numExpelled === this.#numExpelled) return requests;
    }
  }

  /** Nodes that one worker computes once more, and who could help out if that one is late. */
  underway(): readonly (CheckRequest & { readonly fence: number })[] {
    return [...this.#inquiries.values()].flatMap((inquiry) => {
      const { helpers } = inquiry;
      return helpers === undefined
        ? []
        : [{ ...requestOf(inquiry, helpers.workers), fence: helpers.fence }];
    });
  }

  /** A part of a node that was to be computed once more; takes its buffer over. */
  receiveCheck(fence: number, upload: NodeResult["upload"]): void {
    const inquiry = this.#inquiryOf(fence);
    if (inquiry === undefined) this.#modules.release(upload.gradient);
    else this.#follow(inquiry.receive(fence, upload));
  }

  checkNotFinite(fence: number, fingerprint: number, detail: string): void {
    const inquiry = this.#inquiryOf(fence);
    if (inquiry !== undefined) this.#follow(inquiry.receiveNotFinite(fence, fingerprint, detail));
  }

  /** The lease of a check is gone before all of it was in. */
  checkLost(fence: number): void {
    const inquiry = this.#inquiryOf(fence);
    if (inquiry !== undefined) this.#follow(inquiry.abandon(fence));
  }

  /** The coordinator stood still for so long: no inquiry has waited longer for it. */
  forgive(pausedMs: number): void {
    for (const inquiry of this.#inquiries.values()) inquiry.forgive(pausedMs);
  }

  /** What the step waits for while no lease does; undefined if it is nothing, or something of ours. */
  get wait(): GateWait | undefined {
    const { clock, effects } = this.#modules;
    return waitOf([...this.#inquiries.values()], {
      tieMs: this.#options.tieMs,
      nowMs: clock.now(),
      isAnybodyHere: effects.isAnybodyHere(),
    });
  }

  /** The step is collected: later ones are compared with it. */
  commit(): void {
    this.#modules.reference.commit([...this.#sizes.values()]);
  }

  /** Gives back whatever is still held. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { result } of this.#waiting.splice(0)) {
      this.#modules.release(result.upload.gradient);
    }
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
    // All by the same sizes, before any of them goes.
    const judged = this.#waiting.map((waiting) => ({
      waiting,
      isOutlier: reference.isOutlier(
        sizeOf(waiting.result.upload),
        this.#peersOf(waiting.result.upload.node),
      ),
    }));
    for (const { waiting, isOutlier } of judged) {
      const index = this.#waiting.indexOf(waiting);
      // What followed from the one before may have taken it away, with its worker.
      if (index < 0) continue;
      this.#waiting.splice(index, 1);
      if (isOutlier) this.#inquire("norm", waiting.result, waiting.electorate);
      else effects.admit(waiting.result);
    }
  }

  /** Nothing that this worker sent for the step counts. @param but goes on without its votes */
  #expel(workerId: string, but: Inquiry): void {
    const { effects, release } = this.#modules;
    this.#numExpelled += 1;
    const waiting = this.#waiting.filter(({ result }) => result.workerId === workerId);
    this.#waiting = this.#waiting.filter((each) => !waiting.includes(each));
    for (const { result } of waiting) release(result.upload.gradient);
    const others = [...this.#inquiries.values()].filter((inquiry) => inquiry !== but);
    for (const inquiry of others) inquiry.exclude(workerId);
    const dropped = others.filter(({ first }) => first.workerId === workerId);
    for (const inquiry of dropped) this.#drop(inquiry);
    const held = [...waiting.map(({ result }) => result), ...dropped.map(({ first }) => first)];
    for (const leaf of effects.expel(workerId, held)) this.#sizes.delete(leaf);
  }

  /** The inquiry ends without a result. */
  #drop(inquiry: Inquiry): void {
    this.#inquiries.delete(inquiry.node.firstLeaf);
    const { fences } = inquiry;
    this.#follow(inquiry.close());
    for (const fence of fences) {
      this.#modules.effects.revoke(fence, "what it checks does not count");
    }
  }

  #peersOf({ firstLeaf }: NodeId): readonly NodeNorm[] {
    return [...this.#sizes].flatMap(([first, size]) => (first === firstLeaf ? [] : [size]));
  }

  #inquire(cause: Cause, first: NodeResult, electorate: InquiryModules["electorate"]): void {
    const { metrics, add, release, sha256, effects } = this.#modules;
    (cause === "norm" ? metrics.suspects : metrics.audits).inc();
    const supersede = (fence: number): void => {
      effects.revoke(fence, "another worker was first");
    };
    const inquiry = new Inquiry(cause, first, { add, release, sha256, electorate, supersede });
    this.#inquiries.set(inquiry.node.firstLeaf, inquiry);
    this.#follow(inquiry.open());
  }

  #inquiryOf(fence: number): Inquiry | undefined {
    return [...this.#inquiries.values()].find(({ fences }) => fences.includes(fence));
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
    const reviewed = this.#reviewer.review(inquiry);
    switch (reviewed.kind) {
      case "ask":
        return requestOf(inquiry, reviewed.workers);
      case "dropped":
        this.#drop(inquiry);
        this.#sizes.delete(inquiry.node.firstLeaf);
        this.#modules.effects.drop(inquiry.first);
        return undefined;
      case "settled":
        this.#settle(inquiry, reviewed);
        return undefined;
      case "waits":
        return undefined;
      default:
        return reviewed satisfies never;
    }
  }

  #settle({ node }: Inquiry, { outcome, isFirst }: Extract<Reviewed, { kind: "settled" }>): void {
    const { effects } = this.#modules;
    this.#inquiries.delete(node.firstLeaf);
    // That of a result which others gave in place of the first is not known.
    if (!isFirst) this.#sizes.delete(node.firstLeaf);
    if (outcome === undefined) return;
    if ("result" in outcome) effects.admit(outcome.result);
    else effects.nonFinite(node, outcome.notFinite);
  }
}

function requestOf(inquiry: Inquiry, workers: readonly string[]): CheckRequest {
  const begin = (workerId: string, fence: number): void => {
    inquiry.ask(workerId, fence);
  };
  return { node: inquiry.node, workers, begin };
}
