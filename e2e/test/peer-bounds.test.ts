/** The bounds on a peer are those that docs/protocol.md lists. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_REQUEST_BYTES, PEER_LIMITS } from "@ostinato/proto";
import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";
import { describe, expect, it } from "vitest";

import { repository } from "./support/workspace.js";

/** The rows of the tables below a heading, up to the next one: what, and how much. */
function rowsBelow(heading: string): ReadonlyMap<string, string> {
  const page = readFileSync(join(repository, "docs/protocol.md"), "utf8");
  const [, section = ""] = page.split(`\n${heading}\n`);
  const [text = ""] = section.split(/\n#+ /);
  const rows = [...text.matchAll(/^\| (?<what>[^|]+?) +\| (?<most>[^|]+?) +\|$/gm)];
  return new Map(rows.map(({ groups }) => [groups!["what"]!, groups!["most"]!]));
}

function rate({
  burst,
  perSecond,
}: {
  readonly burst: number;
  readonly perSecond: number;
}): string {
  return `${burst} at once, then ${perSecond} a second`;
}

describe("docs/protocol.md", () => {
  it("lists the bounds on a peer as they are", () => {
    const limits = PEER_LIMITS;
    const { idleConnectionMs, requestMs, tlsHandshakeMs } = FIXED_TIMEOUTS;
    expect(Object.fromEntries(rowsBelow("### Bounds on a peer"))).toMatchObject({
      "connections of all peers": `${limits.connections}`,
      "connections of one peer, and new ones": `${limits.connectionsOfAddress}; ${rate(limits.connects)}`,
      "streams and calls open at once on one connection": `${limits.streamsOfConnection}`,
      "Train streams of one peer open at once": `${limits.openStreams}`,
      "calls of another method, of one peer open at once": `${limits.openCalls}; ${limits.openHealthCalls} of the health service`,
      "calls of one peer": rate(limits.calls),
      "joins of one peer": rate(limits.joins),
      "a TLS handshake, and a stream without its `attach`": `${tlsHandshakeMs / 1000} s, and \`deadline\``,
      "a request that is not whole": `${requestMs / 1000} s; then its call ends`,
      "a connection without a call": `${idleConnectionMs / 60_000} min; the next call connects again`,
    });
  });

  it("leaves out none of them", () => {
    // As many as the test above names; one more here needs a row there.
    expect(Object.keys(PEER_LIMITS)).toHaveLength(9);
  });

  it("lists how large a request may be", () => {
    const most = rowsBelow("## Limits").get("a request, and the first message of a stream");
    expect(most).toBe(`${MAX_REQUEST_BYTES >> 10} KiB`);
  });
});
