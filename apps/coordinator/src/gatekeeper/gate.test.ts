import { ManualClock } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { describe, expect, it, vi } from "vitest";
import { createMetrics } from "../ops/index.js";
import type { CompleteUpload } from "../steps/index.js";
import type { GateEffects } from "./gate-modules.js";
import { Gate } from "./gate.js";
import { NormReference } from "./norm-reference.js";

const TIE_MS = 2000;
const MILLION = 1e6;

function uploadOf(leaf: number, value: number): CompleteUpload {
  const sampleDigest = new Uint8Array(32);
  return {
    node: { firstLeaf: leaf, numLeaves: 1 },
    ...{ gradient: Float32Array.of(value), norm: Math.abs(value) },
    leaves: [{ leaf, lossSum: 1, lossWeight: 1, numSamples: 1, sampleDigest }],
    ...{ states: new Map(), moments: new Map() },
  };
}

/** The gate of a step that follows one whose gradients were all 1; everything around it is the test's own. */
function gateOf(workers: ReadonlySet<string>): {
  readonly gate: Gate;
  readonly clock: ManualClock;
  readonly effects: GateEffects;
  /** Everything that came is taken down. */
  readonly settled: (numAnswers: number) => Promise<void>;
} {
  const clock = new ManualClock();
  const reference = new NormReference();
  reference.commit([{ norm: 1, weight: 1 }]);
  const dispatch = vi.fn();
  const effects: GateEffects = {
    ...{ accuse: vi.fn(), expel: vi.fn(() => []), revoke: vi.fn(), admit: vi.fn() },
    ...{ hold: vi.fn(), drop: vi.fn(), nonFinite: vi.fn(), notify: vi.fn(), fail: vi.fn() },
    electorate: () => () => [...workers],
    isAnybodyHere: () => workers.size > 0,
    describeSamples: () => "",
    dispatch,
  };
  const metrics = createMetrics(new Registry(), {
    run: { samples: "positions", loss: "crossEntropy", lossUnit: "nats" },
    countWorkers: () => ({ joined: 0, active: 0, draining: 0, quarantined: 0 }),
    ...{ checkpointAgeSeconds: () => undefined, minWorkers: 1, stalledSeconds: () => 0 },
  });
  const gate = new Gate(
    { step: 4, tieMs: TIE_MS, auditedLeaf: undefined },
    {
      ...{ clock, metrics, reference, effects },
      add: () => Promise.resolve(),
      release: () => undefined,
      sha256: (values) => Promise.resolve(values.join(" ")),
    },
  );
  const settled = (numAnswers: number): Promise<void> =>
    vi.waitFor(() => expect(dispatch).toHaveBeenCalledTimes(numAnswers), { interval: 1 });
  return { gate, clock, effects, settled };
}

describe("Gate", () => {
  it("asks nobody to check a result whose worker is convicted by what is looked at after it", async () => {
    const { gate, effects, settled } = gateOf(new Set(["a", "b", "c", "d"]));
    gate.receive({ upload: uploadOf(0, MILLION), workerId: "b", fence: 1 });
    gate.receive({ upload: uploadOf(1, MILLION), workerId: "a", fence: 2 });
    gate.receive({ upload: uploadOf(2, MILLION), workerId: "d", fence: 3 });
    for (const leaf of [3, 4, 5, 6]) {
      gate.receive({ upload: uploadOf(leaf, 1), workerId: "c", fence: 4 });
    }
    gate.allIn();
    await settled(3);
    const [ofB, ofA, ofD] = gate.review();
    expect([ofB, ofA, ofD].map((request) => request?.node.firstLeaf)).toEqual([0, 1, 2]);
    expect(ofD?.workers).toEqual(["a", "b", "c"]);
    // Of leaf 1 b's result is another than a's, c's is a's.
    for (const [index, [workerId, value]] of [
      ["b", 7] as const,
      ["c", MILLION] as const,
    ].entries()) {
      ofA?.begin(workerId, 10 + index);
      gate.receiveCheck(10 + index, uploadOf(1, value));
      await settled(4 + index);
      if (workerId === "b") expect(gate.review()).toHaveLength(3);
    }
    const requests = gate.review();
    expect(effects.accuse).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ workerId: "b", fence: 10 }),
    );
    // What b sent of leaf 0 is gone; nor is b asked for leaf 2.
    expect(requests.map(({ node, workers }) => [node.firstLeaf, workers])).toEqual([
      [2, ["a", "c"]],
    ]);
    await gate.close();
  });
});
