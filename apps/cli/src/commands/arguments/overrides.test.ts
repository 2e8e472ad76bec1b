import { describe, expect, it } from "vitest";

import { resolveOverrides } from "./overrides.js";

describe("paths in --set", () => {
  it("of text files are looked up from the present folder", () => {
    expect(resolveOverrides(["data.files=[a.txt, b/*.txt]"], "/here")).toEqual([
      "data.files=[a.txt, b/*.txt]",
      'data.baseDirectory="/here"',
    ]);
  });

  it("in npm packages are left to the config's folder", () => {
    const overrides = ["data.files=npm:package/text.txt"];
    expect(resolveOverrides(overrides, "/here")).toEqual(overrides);
  });

  it("start from data.baseDirectory where that is set, itself from the present folder", () => {
    expect(resolveOverrides(["data.files=a.txt", "data.baseDirectory=books"], "/here")).toEqual([
      "data.files=a.txt",
      'data.baseDirectory="/here/books"',
    ]);
  });

  it("may hold what means something in YAML, and are the same when they are resolved again", () => {
    const overrides = resolveOverrides(["data.files=My Book #1.txt"], "/a # b/c: d");
    expect(overrides).toEqual(["data.files=My Book #1.txt", 'data.baseDirectory="/a # b/c: d"']);
    expect(resolveOverrides(overrides, "/elsewhere")).toEqual(overrides);
    expect(resolveOverrides(['data.baseDirectory="b #1"'], "/here")).toEqual([
      'data.baseDirectory="/here/b #1"',
    ]);
  });

  it("do not concern other keys", () => {
    expect(resolveOverrides(["training.epochs=2", "seed=1"], "/here")).toEqual([
      "training.epochs=2",
      "seed=1",
    ]);
  });
});
