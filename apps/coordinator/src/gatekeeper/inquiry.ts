/** One node whose result is held until it is known to be right: who said what, and who is asked now. */

import type { NodeId } from "@ostinato/proto";
import type { CompleteUpload, TreeModules } from "../steps/index.js";
import { Ballot } from "./ballot.js";
import type { Standing } from "./ballot.js";
import type { NodeNorm } from "./norm-reference.js";
import { Recomputation } from "./recomputation.js";
import { resultDigest } from "./result-digest.js";

/** A whole, checked upload of a node, and whose it is. */
export interface NodeResult {
  readonly upload: CompleteUpload;
  readonly workerId: string;
  readonly fence: number;
}

/** Why a result is doubted: its norm, or nothing, as one in so many is. */
export type Cause = "norm" | "audit";

export interface InquiryModules extends TreeModules {
  readonly sha256: (values: Float32Array) => Promise<string>;
  /** Workers that could compute the node, now or soon, and would give the same bits. */
  readonly electorate: () => readonly string[];
  /** Another worker was first with what this one computes: see `abandon`. */
  readonly supersede: (fence: number) => void;
}

/** What the workers said of a node: a result, or that theirs is not finite. */
export type Outcome = { readonly result: NodeResult } | { readonly notFinite: string };

export class Inquiry {
  readonly node: NodeId;
  readonly cause: Cause;
  /** The result that is held. */
  readonly first: NodeResult;
  /** Since when somebody is wanted to compute it once more; undefined while one does. */
  askedSinceMs: number | undefined;
  /** Since when there has been nobody who could compute it to the same bits, if that is so. */
  nobodySinceMs: number | undefined;
  /** Since when only another worker can tell, if that is so. */
  tiedSinceMs: number | undefined;
  readonly #modules: InquiryModules;
  readonly #ballot = new Ballot();
  /** By digest. */
  readonly #outcomes = new Map<string, Outcome>();
  readonly #fences = new Map<string, number>();
  #firstDigest: string | undefined;
  /** By fence; more than one where the first is late. */
  readonly #recomputations = new Map<number, Recomputation>();
  #parts: Recomputation["parts"] = [];
  /** Digests being computed. */
  #numPending = 0;
  #isClosed = false;

  constructor(cause: Cause, first: NodeResult, modules: InquiryModules) {
    this.cause = cause;
    this.first = first;
    this.node = first.upload.node;
    this.#modules = modules;
  }

  get leaves(): readonly number[] {
    return this.first.upload.leaves.map(({ leaf }) => leaf);
  }

  /** Whether an answer is on its way. */
  get isBusy(): boolean {
    return this.#numPending > 0 || this.#recomputations.size > 0;
  }

  /** The fences under which the node is being computed once more. */
  get fences(): readonly number[] {
    return [...this.#recomputations.keys()];
  }

  /** Who could help out the only worker that computes it once more, and that one's fence. */
  get helpers(): { readonly fence: number; readonly workers: readonly string[] } | undefined {
    const [only, second] = this.#recomputations.values();
    const standing = this.standing();
    if (only === undefined || second !== undefined || standing.kind !== "ask") return undefined;
    return { fence: only.fence, workers: standing.workers.filter((id) => id !== only.workerId) };
  }

  /** The fence under which this worker's vote came. */
  fenceOf(workerId: string): number {
    return this.#fences.get(workerId) ?? this.first.fence;
  }

  /** By part of the node, of one leaf as a rule: its norm, as it was recomputed. */
  get parts(): readonly { readonly node: NodeId; readonly size: NodeNorm }[] {
    return this.#parts;
  }

  /** Whether this digest is that of the held result. */
  isFirst(digest: string): boolean {
    return digest === this.#firstDigest;
  }

  /** Takes down the held result as the first vote. */
  async open(): Promise<void> {
    await this.#vote(this.first);
  }

  standing(): Standing {
    return this.#ballot.standing(this.#modules.electorate());
  }

  voters(digest: string): readonly string[] {
    const same = this.#ballot.votes.filter((vote) => vote.digest === digest);
    return [...new Set(same.map(({ workerId }) => workerId))];
  }

  /** The digest of the held result if nobody has said anything else. */
  get undisputed(): string | undefined {
    const isUndisputed = this.votes.every(({ digest }) => this.isFirst(digest));
    return isUndisputed && this.votes.length > 0 ? this.#firstDigest : undefined;
  }

  get votes(): Ballot["votes"] {
    return this.#ballot.votes;
  }

  /** What this worker said counts no more. */
  exclude(workerId: string): void {
    this.#ballot.exclude(workerId);
  }

  /** The coordinator stood still for so long: nobody could come, and nothing has been waited for longer for it. */
  forgive(pausedMs: number): void {
    const later = (sinceMs: number | undefined): number | undefined =>
      sinceMs === undefined ? undefined : sinceMs + pausedMs;
    this.askedSinceMs = later(this.askedSinceMs);
    this.nobodySinceMs = later(this.nobodySinceMs);
    this.tiedSinceMs = later(this.tiedSinceMs);
  }

  /** This worker computes it once more. */
  ask(workerId: string, fence: number): void {
    this.askedSinceMs = undefined;
    this.nobodySinceMs = undefined;
    this.tiedSinceMs = undefined;
    const { node } = this;
    const recomputation = new Recomputation({ node, workerId, fence }, this.#modules);
    this.#recomputations.set(fence, recomputation);
  }

  /** A part of what was asked for is in; takes its buffer over. */
  async receive(fence: number, part: CompleteUpload): Promise<void> {
    const recomputation = this.#recomputations.get(fence);
    recomputation?.add(part);
    if (recomputation?.isComplete !== true) return;
    const { workerId } = recomputation;
    this.#recomputations.delete(fence);
    for (const other of this.fences) this.#modules.supersede(other);
    this.#parts = recomputation.parts;
    this.#numPending += 1;
    try {
      await this.#vote({ upload: await recomputation.take(), workerId, fence });
    } finally {
      this.#numPending -= 1;
    }
  }

  /** @param fingerprint equal for equal results */
  async receiveNotFinite(fence: number, fingerprint: number, detail: string): Promise<void> {
    const recomputation = this.#recomputations.get(fence);
    if (recomputation === undefined) return;
    // Until it is a vote, as nobody else is to be asked meanwhile.
    this.#numPending += 1;
    try {
      const abandoned = this.abandon(fence);
      for (const other of this.fences) this.#modules.supersede(other);
      await abandoned;
      const digest = `not finite, ${fingerprint.toString(16)}`;
      this.#outcomes.set(digest, { notFinite: detail });
      this.#cast(recomputation, digest);
    } finally {
      this.#numPending -= 1;
    }
  }

  /** Nothing more comes under this fence. */
  async abandon(fence: number): Promise<void> {
    const recomputation = this.#recomputations.get(fence);
    this.#recomputations.delete(fence);
    await recomputation?.discard();
  }

  /**
   * The result with this digest, whose buffer is the caller's from then on; all else is given back. It is
   * named after somebody whose word counts.
   */
  take(digest: string): Outcome | undefined {
    const outcome = this.#outcomes.get(digest);
    this.#outcomes.delete(digest);
    this.#releaseAll();
    const voters = this.voters(digest);
    const [workerId] = voters;
    if (outcome === undefined || workerId === undefined || "notFinite" in outcome) return outcome;
    if (voters.includes(outcome.result.workerId)) return outcome;
    return { result: { ...outcome.result, workerId, fence: this.fenceOf(workerId) } };
  }

  /** The round is over: gives every buffer back, also those that a digest is still taken of. */
  async close(): Promise<void> {
    this.#releaseAll();
    await Promise.all(this.fences.map((fence) => this.abandon(fence)));
  }

  #releaseAll(): void {
    this.#isClosed = true;
    for (const outcome of this.#outcomes.values()) {
      if ("result" in outcome) this.#modules.release(outcome.result.upload.gradient);
    }
    this.#outcomes.clear();
  }

  async #vote(result: NodeResult): Promise<void> {
    this.#numPending += 1;
    try {
      const digest = await resultDigest(result.upload, this.#modules.sha256);
      // One of each is kept.
      if (this.#isClosed || this.#outcomes.has(digest)) {
        this.#modules.release(result.upload.gradient);
      } else {
        this.#outcomes.set(digest, { result });
      }
      if (result === this.first) this.#firstDigest = digest;
      this.#cast(result, digest);
    } finally {
      this.#numPending -= 1;
    }
  }

  #cast({ workerId, fence }: { workerId: string; fence: number }, digest: string): void {
    this.#fences.set(workerId, fence);
    this.#ballot.cast({ workerId, digest });
  }
}
