import type { NumericsProfile } from "@ostinato/proto";
import { describe, expect, it } from "vitest";
import { ProfilePolicy } from "./index.js";
import type { ProfilePolicyOptions } from "./index.js";

const profile = (backend: string, digest = "a"): NumericsProfile => ({
  backend,
  version: "1",
  digest: digest.repeat(64),
});

const policy = (options: Partial<ProfilePolicyOptions> = {}): ProfilePolicy =>
  new ProfilePolicy({ backend: "auto", determinism: "strict", profile: undefined, ...options });

describe("ProfilePolicy", () => {
  it("takes the first worker's preference, and later ones by that", () => {
    const profiles = policy();
    expect(profiles.choose([profile("wasm"), profile("cpu")])).toEqual(profile("wasm"));
    profiles.settle(profile("wasm"));
    expect(profiles.choose([profile("cpu"), profile("wasm")])).toEqual(profile("wasm"));
  });

  it("takes the config's backend, whatever a worker prefers", () => {
    const profiles = policy({ backend: "cpu" });
    expect(profiles.choose([profile("wasm"), profile("cpu")])).toEqual(profile("cpu"));
    expect(() => profiles.choose([profile("wasm")])).toThrow(
      /^the run computes with backend cpu, this worker offers wasm 1 \(aaaaaaaaaaaa\)$/,
    );
  });

  it("refuses other bits, saying what would take them", () => {
    const profiles = policy({ profile: profile("wasm") });
    expect(() => profiles.choose([profile("wasm", "b")])).toThrow(
      "the run computes with wasm 1 (aaaaaaaaaaaa), this worker offers wasm 1 (bbbbbbbbbbbb); " +
        "numerics.determinism: relaxed would take it",
    );
  });

  it("takes other bits when relaxed, and never another backend", () => {
    const profiles = policy({ determinism: "relaxed", profile: profile("cpu") });
    expect(profiles.choose([profile("wasm"), profile("cpu", "b")])).toEqual(profile("cpu", "b"));
    expect(() => profiles.choose([profile("wasm")])).toThrow(/offers wasm 1 \(aaaaaaaaaaaa\)$/);
  });

  it("knows which profiles are new to the run", () => {
    const profiles = policy({ determinism: "relaxed" });
    expect(profiles.isNew(profile("cpu"))).toBe(true);
    profiles.settle(profile("cpu"));
    profiles.settle(profile("cpu", "b"));
    expect(profiles.isNew(profile("cpu"))).toBe(false);
    expect(profiles.profile).toEqual(profile("cpu"));
    expect(policy({ profile: profile("cpu") }).isNew(profile("cpu"))).toBe(false);
  });
});
