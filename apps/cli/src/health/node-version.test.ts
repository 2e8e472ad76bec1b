import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { checkNode } from "./node-version.js";

describe("checkNode", () => {
  it.each([
    ["20.18.3", false],
    ["20.19.0", true],
    ["20.20.2", true],
    ["21.7.0", false],
    ["22.12.9", false],
    ["22.13.0", true],
    ["24.0.0", false],
  ])("says whether Node %s will do: %s", (version, isSupported) => {
    expect(checkNode(version).isSupported).toBe(isSupported);
  });

  it("says what package.json says", () => {
    const manifest = new URL("../../../../package.json", import.meta.url);
    const { engines } = JSON.parse(readFileSync(manifest, "utf8")) as {
      readonly engines: { readonly node: string };
    };
    expect(engines.node).toBe(">=20.19.0 <21 || >=22.13.0 <23");
    expect(checkNode("20.19.0").floor).toBe("20.19 or a newer 20, 22.13 or a newer 22");
  });
});
