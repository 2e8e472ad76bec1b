import { describe, expect, it } from "vitest";
import { Ballot } from "./ballot.js";

function ballotOf(...votes: readonly string[]): Ballot {
  const ballot = new Ballot();
  for (const vote of votes) {
    const [workerId = "", digest = ""] = vote.split(":");
    ballot.cast({ workerId, digest });
  }
  return ballot;
}

const agreed = (digest: string, ...against: readonly string[]): object => ({
  kind: "agreed",
  digest,
  against: against.map((vote) => {
    const [workerId = "", other = ""] = vote.split(":");
    return { workerId, digest: other };
  }),
});
const ask = (...workers: readonly string[]): object => ({ kind: "ask", workers });

describe("Ballot", () => {
  it("asks somebody else for a second vote, and takes it if it is the same", () => {
    expect(ballotOf("a:x").standing(["a", "b", "c"])).toEqual(ask("b", "c"));
    expect(ballotOf("a:x", "b:x").standing(["a", "b", "c"])).toEqual(agreed("x"));
  });

  it("takes a second try of a worker that is alone", () => {
    expect(ballotOf("a:x").standing(["a"])).toEqual(ask("a"));
    expect(ballotOf("a:x", "a:x").standing(["a"])).toEqual(agreed("x"));
    // Not while there is another one.
    expect(ballotOf("a:x", "a:x").standing(["a", "b"])).toEqual(ask("b"));
  });

  it("lets a third vote tell which of two is wrong", () => {
    expect(ballotOf("a:x", "b:y").standing(["a", "b", "c"])).toEqual(ask("c"));
    expect(ballotOf("a:x", "b:y", "c:x").standing(["a", "b", "c"])).toEqual(agreed("x", "b:y"));
    expect(ballotOf("a:x", "b:y", "c:y").standing(["a", "b", "c"])).toEqual(agreed("y", "a:x"));
  });

  it("goes on while all differ", () => {
    expect(ballotOf("a:x", "b:y", "c:z").standing(["a", "b", "c", "d"])).toEqual(ask("d"));
    expect(ballotOf("a:x", "b:y", "c:z", "d:z").standing(["a", "b", "c", "d"])).toEqual(
      agreed("z", "a:x", "b:y"),
    );
  });

  it("has two that differ try again where there is no third: one that contradicts itself is out", () => {
    const ballot = ballotOf("a:x", "b:y");
    expect(ballot.standing(["a", "b"])).toEqual(ask("a", "b"));
    ballot.cast({ workerId: "a", digest: "z" });
    expect(ballot.standing(["a", "b"])).toMatchObject({
      kind: "unsteady",
      votes: [{ digest: "x" }, { digest: "z" }],
    });
    ballot.exclude("a");
    // Here or gone, it is not counted on.
    expect(ballot.standing(["a", "b"])).toEqual(ask("b"));
    ballot.cast({ workerId: "b", digest: "y" });
    expect(ballot.standing(["b"])).toEqual(agreed("y"));
  });

  it("is tied where both say the same again, until another worker comes", () => {
    const ballot = ballotOf("a:x", "b:y", "a:x");
    expect(ballot.standing(["a", "b"])).toEqual(ask("b"));
    ballot.cast({ workerId: "b", digest: "y" });
    expect(ballot.standing(["a", "b"])).toEqual({ kind: "tied" });
    expect(ballot.standing(["a", "b", "c"])).toEqual(ask("c"));
  });

  it("does not take the word of the one that is left against that of one that is gone", () => {
    expect(ballotOf("a:x", "b:y").standing(["b"])).toEqual(ask("b"));
    const ballot = ballotOf("a:x", "b:y", "b:y");
    expect(ballot.standing(["b"])).toEqual({ kind: "tied" });
    ballot.cast({ workerId: "c", digest: "y" });
    expect(ballot.standing(["b", "c"])).toEqual(agreed("y", "a:x"));
  });

  it("takes no vote of a worker that was excluded before it came", () => {
    const ballot = ballotOf("a:x");
    ballot.exclude("b");
    ballot.cast({ workerId: "b", digest: "y" });
    expect(ballot.votes).toEqual([{ workerId: "a", digest: "x" }]);
    // Nor is it asked for one.
    expect(ballot.standing(["a", "b", "c"])).toEqual(ask("c"));
    ballot.cast({ workerId: "c", digest: "x" });
    expect(ballot.standing(["a", "b", "c"])).toEqual(agreed("x"));
  });

  it("waits where nobody is there", () => {
    expect(ballotOf("a:x").standing([])).toEqual(ask());
  });
});
