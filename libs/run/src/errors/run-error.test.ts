import { expect, it } from "vitest";

import { RunError } from "./run-error.js";

it("is one line of a bounded length, whatever a file's names and values are", () => {
  expect(new RunError("unknownKey", "x.yaml:2: a\nb: unknown key").message).toBe(
    "x.yaml:2: a b: unknown key",
  );
  expect(new RunError("unknownKey", "k".repeat(1e6)).message).toHaveLength(4096);
});
