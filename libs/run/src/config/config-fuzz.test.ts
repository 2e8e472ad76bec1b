import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RunError } from "../errors/index.js";
import { compileConfig } from "./compile-config.js";
import { parseOverride } from "./source/index.js";
import { keyRoles } from "./roles.js";

/** A config, or one line that says why not; nothing else. */
function expectConfigOrLine(action: () => unknown): void {
  try {
    expect(action()).toBeTypeOf("object");
  } catch (error) {
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).message).not.toContain("\n");
  }
}

const anyKey = fc.constantFrom(...keyRoles().keys());

describe("compileConfig", () => {
  it("turns any JSON into a config or into one line", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (raw) => expectConfigOrLine(() => compileConfig(raw, "x"))),
      { numRuns: 300 },
    );
  });

  it("turns any value of any key into a config or into one line", () => {
    const value = fc.oneof(fc.jsonValue(), fc.double(), fc.integer(), fc.constant(undefined));
    fc.assert(
      fc.property(fc.array(fc.tuple(anyKey, value), { maxLength: 6 }), (entries) => {
        const raw: Record<string, unknown> = { data: { files: "a" } };
        for (const [path, set] of entries) {
          const [group = "", ...rest] = path.split(".");
          const [name, inner] = rest;
          const old = raw[group] as Record<string, unknown> | undefined;
          if (name === undefined) raw[group] = set;
          else raw[group] = { ...old, [name]: inner === undefined ? set : { [inner]: set } };
        }
        expectConfigOrLine(() => compileConfig(raw, "x"));
      }),
      { numRuns: 300 },
    );
  });
});

describe("parseOverride", () => {
  it("turns any text into an override or into one line", () => {
    fc.assert(
      fc.property(fc.string(), (text) =>
        expectConfigOrLine(() => parseOverride(text.replaceAll("\n", " "))),
      ),
      { numRuns: 300 },
    );
  });
});
