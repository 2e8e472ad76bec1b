/** Whose result of a node is right, by the results that were computed so far. Pure. */

export interface Vote {
  readonly workerId: string;
  /** Equal for equal results, to the bit. */
  readonly digest: string;
}

export type Standing =
  /** Two workers agree, or the only one that there ever was does with itself: all others are wrong. */
  | { readonly kind: "agreed"; readonly digest: string; readonly against: readonly Vote[] }
  /** A worker gave different results of the same: whatever else it says is void. */
  | { readonly kind: "unsteady"; readonly votes: readonly [Vote, Vote] }
  /** Any of these is to compute it (again). */
  | { readonly kind: "ask"; readonly workers: readonly string[] }
  /** Everybody here gave the same twice, and there are others who differ: another worker has to tell. */
  | { readonly kind: "tied" };

/** Bounds what is computed: each worker votes at most twice. */
const MAX_VOTES_OF_A_WORKER = 2;

/**
 * A first vote is repeated by somebody else. Where results differ a third one tells; where there is no third
 * worker, each that is here computes it again, since a machine that is broken seldom errs twice in the
 * same way. Two machines that are broken in the same way pass for right.
 */
export class Ballot {
  #votes: Vote[] = [];
  /** Workers whose word does not count. */
  readonly #void = new Set<string>();

  get votes(): readonly Vote[] {
    return this.#votes;
  }

  /** Of a worker that is excluded it does nothing: what it computed before may be known only later. */
  cast(vote: Vote): void {
    if (!this.#void.has(vote.workerId)) this.#votes.push(vote);
  }

  /** What this worker said, or is still to say, counts no more, whatever it is. */
  exclude(workerId: string): void {
    this.#void.add(workerId);
    this.#votes = this.#votes.filter((vote) => vote.workerId !== workerId);
  }

  /** @param candidates workers that could compute it, now or soon */
  standing(candidates: readonly string[]): Standing {
    const voters = [...new Set(this.#votes.map(({ workerId }) => workerId))];
    for (const voter of voters) {
      const [first, ...more] = this.#votesOf(voter);
      const other = more.find(({ digest }) => digest !== first?.digest);
      if (first !== undefined && other !== undefined) {
        return { kind: "unsteady", votes: [first, other] };
      }
    }
    const agreed = this.#agreed(candidates);
    if (agreed !== undefined) {
      const against = this.#votes.filter(({ digest }) => digest !== agreed);
      return { kind: "agreed", digest: agreed, against };
    }
    if (candidates.length === 0) return { kind: "ask", workers: [] };
    const untried = candidates.filter((id) => !voters.includes(id) && !this.#void.has(id));
    if (untried.length > 0) return { kind: "ask", workers: untried };
    const again = candidates.filter((id) => {
      const count = this.#votesOf(id).length;
      return count > 0 && count < MAX_VOTES_OF_A_WORKER;
    });
    return again.length > 0 ? { kind: "ask", workers: again } : { kind: "tied" };
  }

  #agreed(candidates: readonly string[]): string | undefined {
    for (const { digest, workerId } of this.#votes) {
      const same = this.#votes.filter((vote) => vote.digest === digest);
      if (same.some((vote) => vote.workerId !== workerId)) return digest;
      const isAlone = candidates.every((id) => id === workerId || this.#void.has(id));
      // Against the word of one that is gone its own is not enough.
      const isUndisputed = same.length === this.#votes.length;
      if (same.length >= MAX_VOTES_OF_A_WORKER && isAlone && isUndisputed) return digest;
    }
    return undefined;
  }

  #votesOf(workerId: string): readonly Vote[] {
    return this.#votes.filter((vote) => vote.workerId === workerId);
  }
}
