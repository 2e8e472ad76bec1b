import { describe, expect, it, vi } from "vitest";
import type { CompleteUpload } from "../steps/index.js";
import { Inquiry } from "./inquiry.js";
import type { NodeResult } from "./inquiry.js";

const NODE = { firstLeaf: 0, numLeaves: 1 };

function uploadOf(value: number): CompleteUpload {
  const sampleDigest = new Uint8Array(32);
  const leaf = { leaf: 0, lossSum: 1, lossWeight: 1, numSamples: 1, sampleDigest };
  return {
    ...{ node: NODE, gradient: Float32Array.of(value), norm: Math.abs(value), leaves: [leaf] },
    ...{ states: new Map(), moments: new Map() },
  };
}

const resultOf = (workerId: string, value: number, fence: number): NodeResult => ({
  ...{ upload: uploadOf(value), workerId, fence },
});

/** The first result is a's, of 1; digests of other values are not there before `finishDigest`. */
async function inquiry(electorate: readonly string[]): Promise<{
  readonly inquiry: Inquiry;
  /** Gives the digest that is being taken. */
  readonly finishDigest: () => Promise<void>;
  readonly numReleased: () => number;
}> {
  const pending: (() => void)[] = [];
  let numReleased = 0;
  const inquiry = new Inquiry("audit", resultOf("a", 1, 1), {
    add: () => Promise.resolve(),
    release: () => {
      numReleased += 1;
    },
    sha256: (values) =>
      new Promise((resolve) => {
        const finish = (): void => {
          resolve(values.join(" "));
        };
        if (values[0] === 1) finish();
        else pending.push(finish);
      }),
    electorate: () => electorate,
    supersede: () => undefined,
  });
  await inquiry.open();
  return {
    inquiry,
    finishDigest: async () => {
      const finish = await vi.waitUntil(() => pending.shift(), { interval: 1 });
      finish();
    },
    numReleased: () => numReleased,
  };
}

describe("Inquiry", () => {
  it("does not count what a worker computed that is excluded while its digest is taken", async () => {
    const { inquiry: held, finishDigest, numReleased } = await inquiry(["a", "b", "c"]);
    held.ask("b", 2);
    const received = held.receive(2, uploadOf(2));
    held.exclude("b");
    await finishDigest();
    await received;
    expect(held.votes.map(({ workerId }) => workerId)).toEqual(["a"]);
    expect(held.standing()).toEqual({ kind: "ask", workers: ["c"] });
    held.ask("c", 3);
    await held.receive(3, uploadOf(1));
    const standing = held.standing();
    expect(standing).toMatchObject({ kind: "agreed", against: [] });
    held.take(standing.kind === "agreed" ? standing.digest : "");
    // c's, which is as a's is, and b's.
    expect(numReleased()).toBe(2);
  });

  it("is busy from a result that is not finite until that is a vote", async () => {
    const { inquiry: held } = await inquiry(["a", "b"]);
    held.ask("b", 2);
    const received = held.receiveNotFinite(2, 7, "NaN");
    expect(held.isBusy).toBe(true);
    await received;
    expect(held.isBusy).toBe(false);
    expect(held.votes).toHaveLength(2);
  });
});
