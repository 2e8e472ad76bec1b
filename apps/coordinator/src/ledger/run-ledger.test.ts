import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LedgerWriter } from "@ostinato/run";
import type { StepRecord } from "@ostinato/run";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { RunLedger } from "./run-ledger.js";

const step: StepRecord = {
  type: "step",
  ...{ step: 7, epoch: 0, epochStep: 6, samples: 2, lossSum: 2.5, lossWeight: 2, loss: 1.25 },
  ...{ learningRate: 0.1, gradientNorm: 0.5, clipped: false, skipped: null },
  parameters: "d".repeat(64),
  ...{ nodes: [], leaves: [], lost: [] },
};

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-run-ledger-"));
  path = join(folder, "ledger.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

/** A ledger whose former incarnation has committed `record`. */
function ledgerAfter(record: StepRecord): RunLedger {
  return new RunLedger(LedgerWriter.create(path), [
    { record, position: { head: "h", offset: 99 } },
  ]);
}

describe("a repeated step", () => {
  it("that comes out the same is not written again", async () => {
    const ledger = ledgerAfter(step);
    const { position, replayed } = ledger.commit({ ...step, nodes: [], lost: [] });
    expect({ position, replayed }).toEqual({ position: { head: "h", offset: 99 }, replayed: true });
    expect(ledger.numToReplay).toBe(0);
    await ledger.close();
    expect(await readFile(path, "utf8")).toBe("");
  });

  it("that comes out otherwise stops the run", async () => {
    const ledger = ledgerAfter(step);
    expect(() => ledger.commit({ ...step, gradientNorm: 0.25 })).toThrow(
      expect.objectContaining({
        code: "replayMismatch",
        message: expect.stringContaining("gradientNorm came out as 0.25, the ledger says 0.5"),
      }),
    );
    await ledger.close();
  });

  it("of other samples stops the run, though its sums are the same", async () => {
    const leaf = { leaf: 3, samples: 2, weight: 2, loss: 2.5, digest: "a".repeat(64) };
    const ledger = ledgerAfter({ ...step, leaves: [leaf] });
    const other = { ...step, leaves: [{ ...leaf, digest: "b".repeat(64) }] };
    expect(() => ledger.commit(other)).toThrow(
      /^step 7 was repeated after a resume and its leaves came out with \{"leaf":3.*bbb.*the ledger says .*aaa/,
    );
    await ledger.close();
  });

  it("that is skipped again is the same, whatever was in by then", async () => {
    const skipped: StepRecord = { ...step, skipped: "nonFinite", lossSum: null, loss: null };
    const ledger = ledgerAfter(skipped);
    expect(ledger.commit({ ...skipped, samples: 0, lossSum: 9, lossWeight: 0 }).replayed).toBe(
      true,
    );
    await ledger.close();
  });

  it("that was skipped and now is not stops the run", async () => {
    const ledger = ledgerAfter({ ...step, skipped: "nonFinite" });
    expect(() => ledger.commit(step)).toThrow(/skipped came out as null/);
    await ledger.close();
  });
});
