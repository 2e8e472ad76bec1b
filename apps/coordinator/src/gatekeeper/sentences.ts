/** What the gatekeeper says to people: one sentence each, with step, leaves, workers and digests. */

import type { NodeId } from "@ostinato/proto";
import type { Vote } from "./ballot.js";
import type { Inquiry } from "./inquiry.js";

type Asked = Pick<Inquiry, "node" | "votes" | "cause">;

/** 4–7, or 4. */
export function leavesInWords({ firstLeaf, numLeaves }: NodeId): string {
  return numLeaves === 1 ? `${firstLeaf}` : `${firstLeaf}–${firstLeaf + numLeaves - 1}`;
}

const place = (step: number, { node }: Asked): string =>
  `step ${step}, ${node.numLeaves === 1 ? "leaf" : "leaves"} ${leavesInWords(node)}`;

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

export function tieNotice(step: number, inquiry: Asked, leftMs: number): string {
  const seconds = (Math.max(0, leftMs) / 1000).toFixed(1);
  return `${disagreement(step, inquiry)}; without it the run ends in ${seconds} s`;
}

export function disagreement(step: number, inquiry: Asked): string {
  const results = [...new Map(inquiry.votes.map((vote) => [vote.workerId, vote])).values()]
    .map(({ workerId, digest }) => `${workerId} ${short(digest)}`)
    .join(", ");
  return (
    `${place(step, inquiry)} (${why(inquiry)}): workers disagree, each with the same result twice ` +
    `(${results}): another worker is needed to tell who is right`
  );
}
