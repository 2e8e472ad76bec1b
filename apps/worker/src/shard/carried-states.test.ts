import { encodeFrames } from "@ostinato/proto";
import { describe, expect, it } from "vitest";

import { ArrivingStates, HeldStates, initialStates } from "./carried-states.js";

const stateSizes = [4, 4, 0, 6];

function sentFrames(transfer: number, leaf: number, values: readonly number[]) {
  return encodeFrames({
    transfer,
    transferKind: "carriedState",
    leaf,
    values: Float32Array.from(values),
  });
}

describe("HeldStates", () => {
  it("keeps the states of the newest two steps, by leaf", () => {
    const held = new HeldStates();
    for (const step of [1, 2, 3]) held.store(0, step, Float32Array.of(step));
    held.store(1, 3, Float32Array.of(30));
    expect(held.find(0, 1)).toBeUndefined();
    expect(held.find(0, 2)).toEqual(Float32Array.of(2));
    expect(held.find(0, 3)).toEqual(Float32Array.of(3));
    expect(held.find(1, 3)).toEqual(Float32Array.of(30));
    expect(held.find(1, 2)).toBeUndefined();
  });
});

describe("ArrivingStates", () => {
  it("assembles a state whose values end at any byte of the receive buffer", () => {
    const arriving = new ArrivingStates(stateSizes);
    const [frame] = sentFrames(9, 1, [1, 2, 3, 4]);
    const unaligned = new Uint8Array(1 + frame!.payload.byteLength).subarray(1);
    unaligned.set(frame!.payload);
    arriving.receive({ ...frame!, payload: unaligned });
    expect(arriving.take(9).get(1)).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(arriving.take(9).size).toBe(0);
  });

  it("gives out no state of which a part is missing", () => {
    const arriving = new ArrivingStates(stateSizes);
    for (const frame of sentFrames(9, 3, [1, 2])) arriving.receive(frame);
    expect(arriving.take(9).has(3)).toBe(false);
  });

  it("refuses gaps, foreign leaves, too many values and damaged bytes", () => {
    const arriving = new ArrivingStates(stateSizes);
    const [frame] = sentFrames(9, 0, [1, 2]);
    expect(() => arriving.receive({ ...frame!, firstValue: 2 })).toThrow(
      /begins at value 2, not 0/,
    );
    expect(() => arriving.receive({ ...frame!, leaf: 4 })).toThrow(/leaf 4/);
    expect(() => arriving.receive({ ...frame!, crc32: frame!.crc32 ^ 1 })).toThrow(
      expect.objectContaining({ code: "checksum" }),
    );
    const [tooLong] = sentFrames(9, 1, [1, 2, 3, 4, 5]);
    expect(() => arriving.receive(tooLong!)).toThrow(
      expect.objectContaining({ code: "frameOutOfBounds" }),
    );
  });

  it("forgets the oldest of many transfers that no lease ever names", () => {
    const arriving = new ArrivingStates(stateSizes);
    for (let transfer = 1; transfer <= 5; transfer++) {
      for (const frame of sentFrames(transfer, 0, [1, 2, 3, transfer])) arriving.receive(frame);
    }
    expect(arriving.take(1).size).toBe(0);
    expect(arriving.take(2).get(0)).toEqual(Float32Array.of(1, 2, 3, 2));
  });
});

describe("initialStates", () => {
  it("takes each leaf from where the lease says", () => {
    const held = new HeldStates();
    held.store(0, 4, Float32Array.of(1, 1, 1, 1));
    const arriving = new ArrivingStates(stateSizes);
    for (const frame of sentFrames(7, 3, [1, 2, 3, 4, 5, 6])) arriving.receive(frame);
    const lease = {
      step: 5,
      transfer: 7,
      leaves: [
        { leaf: 0, state: "held" },
        { leaf: 1, state: "zero" },
        { leaf: 2, state: "sent" },
        { leaf: 3, state: "sent" },
      ],
    } as const;
    expect(initialStates({ lease, stateSizes, held, arriving })).toEqual([
      Float32Array.of(1, 1, 1, 1),
      Float32Array.of(0, 0, 0, 0),
      Float32Array.of(),
      Float32Array.of(1, 2, 3, 4, 5, 6),
    ]);
  });

  it.each([
    ["held", "the state of leaf 0 after step 4 is not held here"],
    ["sent", "the state of leaf 0 was not sent in transfer 7"],
  ] as const)("refuses a lease whose %s state is not here", (state, message) => {
    const lease = { step: 5, transfer: 7, leaves: [{ leaf: 0, state }] };
    const held = new HeldStates();
    held.store(0, 3, new Float32Array(4));
    const arriving = new ArrivingStates(stateSizes);
    expect(() => initialStates({ lease, stateSizes, held, arriving })).toThrow(
      expect.objectContaining({ code: "badLease", message }),
    );
  });
});
