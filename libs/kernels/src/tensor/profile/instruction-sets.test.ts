/** The bits of every kernel are the same on every instruction set, for any number of threads. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { hasNative } from "../../../test/support/backends.js";
import { selectBackend, selectThreads } from "../backends.js";
import { fixedComputation } from "./fixed-computation.js";
import { nativeAddon } from "../native/index.js";

describe.runIf(hasNative)("every kernel of the contract gives the same bits", () => {
  let best = "";
  let expected = new Uint8Array();
  beforeAll(async () => {
    await selectBackend("native");
    best = nativeAddon().instructionSet();
    await selectThreads(1);
    nativeAddon().selectInstructionSet("portable");
    expected = fixedComputation();
  });
  afterAll(async () => {
    nativeAddon().selectInstructionSet(best);
    await selectThreads(1);
  });

  const names = process.arch === "arm64" ? ["portable", "neon"] : ["portable", "avx2", "avx512"];
  it.for(names)("on %s with 1, 2 and 3 threads", async (name, { skip }) => {
    if (!nativeAddon().selectInstructionSet(name)) skip(`this processor has no ${name}`);
    expect(nativeAddon().instructionSet()).toBe(name);
    for (const threads of [1, 2, 3]) {
      await selectThreads(threads);
      expect(Buffer.compare(fixedComputation(), expected), `${threads} threads`).toBe(0);
    }
  });
});
