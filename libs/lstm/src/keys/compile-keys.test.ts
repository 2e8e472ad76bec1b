import { describe, expect, it } from "vitest";
import { z } from "zod";

import { LstmError } from "../lstm-error.js";
import {
  compileKeys,
  FRACTION,
  fraction,
  key,
  names,
  wholeNumber,
  wholeNumbers,
  withDefaultKind,
} from "./index.js";

const KINDS = names(["step", "cosine"]);
const schema = z
  .strictObject({
    size: key(wholeNumbers(1, 9), wholeNumber(1, 9)),
    share: key(FRACTION, fraction().default(0.5)),
    sizes: key(`a list of ${wholeNumbers(1, 9)}`, z.array(wholeNumber(1, 9)).default([])),
    schedule: withDefaultKind(
      "step",
      z.discriminatedUnion("kind", [
        z.strictObject({
          kind: key(KINDS, z.literal("step")),
          every: key(wholeNumbers(1, 9), wholeNumber(1, 9).default(2)),
        }),
        z.strictObject({ kind: key(KINDS, z.literal("cosine")), share: key(FRACTION, fraction()) }),
      ]),
    ).prefault({}),
    groups: z
      .array(z.strictObject({ share: key(FRACTION, fraction()) }).readonly())
      .readonly()
      .default([]),
  })
  .refine(({ size, share }) => size * share < 4, {
    path: ["share"],
    message: "times size it must be below 4",
  })
  .readonly();

const compile = (raw: unknown): unknown =>
  compileKeys(schema, raw, { code: "invalidSpec", group: "model" });

describe("compileKeys", () => {
  it("fills in the defaults and freezes the copy", () => {
    const compiled = compile({ size: 3 });
    const schedule = { kind: "step", every: 2 };
    expect(compiled).toEqual({ size: 3, share: 0.5, sizes: [], schedule, groups: [] });
    expect(compiled).toSatisfy(Object.isFrozen);
  });

  it.each([
    [{ size: 0 }, "model.size is 0; it must be a whole number from 1 to 9"],
    [{ size: NaN }, "model.size is NaN; it must be a whole number from 1 to 9"],
    [{ size: "4" }, 'model.size is "4"; it must be a whole number from 1 to 9'],
    [{}, "model.size is missing; it must be a whole number from 1 to 9"],
    [{ size: 1, share: 1 }, "model.share is 1; it must be a number from 0 to below 1"],
    [{ size: 9, share: 0.9 }, "model.share is 0.9; times size it must be below 4"],
    [
      { size: 1, sizes: [1, 10] },
      "model.sizes[1] is 10; it must be a list of a whole number from 1 to 9",
    ],
    [
      { size: 1, sise: 2 },
      "model.sise is not a key of model (size, share, sizes, schedule, groups)",
    ],
    [
      { "two\nlines": 2 },
      '"two\\nlines" is not a key of model (size, share, sizes, schedule, groups)',
    ],
    [{ size: 1, schedule: 3 }, "model.schedule is 3; it must be a group of keys"],
    [
      { size: 1, schedule: { kind: "x" } },
      "model.schedule.kind is \"x\"; it must be 'step' or 'cosine'",
    ],
    [
      { size: 1, schedule: { every: 0 } },
      "model.schedule.every is 0; it must be a whole number from 1 to 9",
    ],
    [
      { size: 1, schedule: { kind: "cosine", every: 1 } },
      "model.schedule.every is not a key of model.schedule (kind, share)",
    ],
    [
      { size: 1, groups: [{}] },
      "model.groups[0].share is missing; it must be a number from 0 to below 1",
    ],
    [
      { size: 1, groups: [{ share: 0, b: 1 }] },
      "model.groups[0].b is not a key of model.groups[0] (share)",
    ],
    [null, "model is null; it must be an object"],
    [[1], "model is [1]; it must be an object"],
  ])("refuses %j", (raw, message) => {
    expect(() => compile(raw)).toThrow(new LstmError("invalidSpec", message));
  });

  it("takes no value from a prototype", () => {
    expect(() => compile(Object.create({ size: 3 }))).toThrow("model.size");
  });
});
