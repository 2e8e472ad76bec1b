/** What the gatekeeper says to people: one sentence each, with step, leaves, workers and digests. */

import type { NodeId } from "@ostinato/proto";
import type { Vote } from "./ballot.js";
import type { Inquiry } from "./inquiry.js";

type Asked = Pick<Inquiry, "node" | "votes" | "cause" | "first">;

/** 4–7, or 4. */
function leavesInWords({ firstLeaf, numLeaves }: NodeId): string {
  return numLeaves === 1 ? `${firstLeaf}` : `${firstLeaf}–${firstLeaf + numLeaves - 1}`;
}

const leafOrLeaves = ({ node }: Asked): string => (node.numLeaves === 1 ? "leaf" : "leaves");

const place = (step: number, inquiry: Asked): string =>
  `step ${step}, ${leafOrLeaves(inquiry)} ${leavesInWords(inquiry.node)}`;

/** Enough of a digest to tell two apart. */
const short = (digest: string): string =>
  digest.startsWith("not finite") ? digest : digest.slice(0, 12);

const why = ({ cause }: Asked): string => (cause === "audit" ? "an audit" : "an odd norm");

const list = (names: readonly string[]): string => names.join(" and ");

export function accusation(
  step: number,
  inquiry: Asked,
  vote: Vote,
  agreed: { readonly digest: string; readonly voters: readonly string[] },
): string {
  const { digest, voters } = agreed;
  const whose =
    voters.length === 1 ? `${voters[0]} computed twice` : `${list(voters)} computed alike`;
  return (
    `${vote.workerId} is quarantined: ${place(step, inquiry)} (${why(inquiry)}): its result has ` +
    `digest ${short(vote.digest)}, what ${whose} has ${short(digest)}`
  );
}

export function unsteadiness(
  step: number,
  inquiry: Asked,
  [first, second]: readonly [Vote, Vote],
): string {
  return (
    `${first.workerId} is quarantined: ${place(step, inquiry)} (${why(inquiry)}): computed twice, ` +
    `its results have digests ${short(first.digest)} and ${short(second.digest)}`
  );
}

export function dataNotice(
  step: number,
  inquiry: Asked,
  found: { readonly times: number; readonly voters: readonly string[]; readonly samples: string },
): string {
  const { times, voters, samples } = found;
  const size = Number.isFinite(times)
    ? `${Number(times.toPrecision(2))} times the usual`
    : "an odd";
  const who =
    voters.length === 1
      ? `${voters[0]}, alone, computed the same bits again`
      : `${list(voters)} computed the same bits`;
  return (
    `${place(step, inquiry)}: the gradient has ${size} norm; ${who}: it is the data (or the model), ` +
    `no machine; ${samples}; it counts as it is`
  );
}

/** Nobody is left who could compute it to the same bits. */
export function inconclusive(
  step: number,
  inquiry: Asked,
  { waitedMs, counts }: { readonly waitedMs: number; readonly counts: boolean },
): string {
  const then = counts
    ? "it counts as it is"
    : "it is dropped, and computed by workers of another profile";
  return (
    `${place(step, inquiry)} (${why(inquiry)}): whether the result of ${inquiry.first.workerId} is right ` +
    `is not known: no worker of its numerics profile was here to compute it again for ` +
    `${(waitedMs / 1000).toFixed(1)} s; ${then}; nobody is accused`
  );
}

/** What a step waits for, and what will be then. */
type WaitInWords = { readonly what: string; readonly next: string };

export function waitOfAsking(inquiry: Asked): WaitInWords {
  const leaves = `${leafOrLeaves(inquiry)} ${leavesInWords(inquiry.node)}`;
  return {
    what: `a worker that computes ${leaves} once more, to compare them (${why(inquiry)})`,
    next: "the next one that ends its lease, or joins, gets it",
  };
}

/** Workers are here, but none that would compute the same bits. */
export function waitOfProfile(inquiry: Asked): Pick<WaitInWords, "what"> {
  const { workerId } = inquiry.first;
  return { what: `${waitOfAsking(inquiry).what}: one of the numerics profile of ${workerId}` };
}

export function untilDropped(leftMs: number): Pick<WaitInWords, "next"> {
  return {
    next: `if none comes, that is given up in ${(Math.max(0, leftMs) / 1000).toFixed(1)} s`,
  };
}

export function waitOfTied(inquiry: Asked): Pick<WaitInWords, "what"> {
  const leaves = `${leafOrLeaves(inquiry)} ${leavesInWords(inquiry.node)}`;
  return {
    what: `another worker to tell whose result of ${leaves} is right: ${resultsInWords(inquiry)}`,
  };
}

export function untilEnd(leftMs: number): Pick<WaitInWords, "next"> {
  return { next: `without it the run ends in ${(Math.max(0, leftMs) / 1000).toFixed(1)} s` };
}

export function tieNotice(step: number, inquiry: Asked, leftMs: number): string {
  return `${disagreement(step, inquiry)}; ${untilEnd(leftMs).next}`;
}

/** What the error says that ends the run. */
export function disagreement(step: number, inquiry: Asked): string {
  return (
    `${place(step, inquiry)} (${why(inquiry)}): workers disagree (${resultsInWords(inquiry)}): another ` +
    "worker is needed to tell who is right"
  );
}

function resultsInWords(inquiry: Asked): string {
  const counts = new Map<string, number>();
  for (const { workerId, digest } of inquiry.votes) {
    const said = `${workerId} ${short(digest)}`;
    counts.set(said, (counts.get(said) ?? 0) + 1);
  }
  return [...counts].map(([said, count]) => (count > 1 ? `${said} twice` : said)).join(", ");
}
