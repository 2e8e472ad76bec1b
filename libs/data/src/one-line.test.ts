import { describe, expect, it } from "vitest";

import { DataError } from "./data-error.js";
import { onOneLine } from "./one-line.js";

describe("onOneLine", () => {
  it("leaves a line as it is", () => {
    expect(onOneLine("a line: é \u{1f600}")).toBe("a line: é \u{1f600}");
  });

  it("takes out what breaks lines, moves a terminal's cursor, or is half a character", () => {
    expect(onOneLine("a\nb\r\n\u2028c\u001b[2J\u007f\u0085 ")).toBe("a b c [2J");
    expect(onOneLine("\ud800")).toBe("\ufffd");
  });

  it("cuts what is long, between code points", () => {
    expect(onOneLine("x".repeat(5000))).toBe(`${"x".repeat(4095)}…`);
    const astral = onOneLine("\u{1f600}".repeat(5000));
    expect(astral).toBe(`${"\u{1f600}".repeat(2047)}…`);
  });

  it("is what an error's message is put through", () => {
    expect(new DataError("unreadable", "a\nb: cannot be read").message).toBe("a b: cannot be read");
  });
});
