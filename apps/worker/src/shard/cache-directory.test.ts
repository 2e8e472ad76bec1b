import { describe, expect, it } from "vitest";

import type { CachePlaces } from "./cache-directory.js";
import { defaultCacheDirectory } from "./cache-directory.js";

function places(overrides: Partial<CachePlaces> = {}): CachePlaces {
  return {
    env: {},
    homeDirectory: () => "/home/ada",
    temporaryDirectory: () => "/tmp",
    ...overrides,
  };
}

describe("defaultCacheDirectory", () => {
  it("is where the user says that caches are, else in the home directory", () => {
    const env = { XDG_CACHE_HOME: "/caches" };
    expect(defaultCacheDirectory(places({ env }))).toBe("/caches/ostinato/data");
    expect(defaultCacheDirectory(places())).toBe("/home/ada/.cache/ostinato/data");
    const empty = { XDG_CACHE_HOME: "" };
    expect(defaultCacheDirectory(places({ env: empty }))).toBe("/home/ada/.cache/ostinato/data");
  });

  it.each([
    ["is not known to the system", () => expect.fail("uv_os_homedir returned ENOENT")],
    ["is empty", () => ""],
  ])("is among the temporary files where the home directory %s", (_, homeDirectory) => {
    expect(defaultCacheDirectory(places({ homeDirectory }))).toBe("/tmp/ostinato/data");
  });
});
