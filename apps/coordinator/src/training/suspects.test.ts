import { describe, expect, it } from "vitest";
import { Suspects } from "./suspects.js";

const node = { firstLeaf: 4, numLeaves: 2 };
const from = (workerId: string, fingerprint: number) => ({
  node,
  workerId,
  fingerprint,
  detail: "NaN",
});

describe("Suspects", () => {
  it("has a result that is not finite computed again by somebody else", () => {
    expect(new Suspects().report(from("a", 1), false)).toEqual({
      kind: "retry",
      node,
      notBy: "a",
    });
  });

  it("blames the run when another worker reproduces the same bits", () => {
    const suspects = new Suspects();
    suspects.report(from("a", 1), false);
    expect(suspects.report(from("b", 1), false).kind).toBe("confirmed");
  });

  it("does not take a second try by the same worker as proof while others are there", () => {
    const suspects = new Suspects();
    suspects.report(from("a", 1), false);
    expect(suspects.report(from("a", 1), false).kind).toBe("retry");
  });

  it("takes a second try by a lone worker as proof", () => {
    const suspects = new Suspects();
    suspects.report(from("a", 1), true);
    expect(suspects.report(from("a", 1), true).kind).toBe("confirmed");
  });

  it("gives up after four results with different bits", () => {
    const suspects = new Suspects();
    const kinds = [1, 2, 3, 4].map((sum) => suspects.report(from(`w${sum}`, sum), false).kind);
    expect(kinds).toEqual(["retry", "retry", "retry", "irreproducible"]);
  });

  it("takes four equal results of one worker as proof when nobody else would try", () => {
    const suspects = new Suspects();
    const kinds = [1, 2, 3, 4].map(() => suspects.report(from("a", 7), false).kind);
    expect(kinds).toEqual(["retry", "retry", "retry", "confirmed"]);
  });

  it("names those who were wrong once the node turned out finite", () => {
    const suspects = new Suspects();
    suspects.report(from("a", 1), false);
    expect(suspects.cleared(node).map(({ workerId }) => workerId)).toEqual(["a"]);
    expect(suspects.cleared(node)).toEqual([]);
  });
});
