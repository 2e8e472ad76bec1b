/** A whole run against PyTorch: real processes, two epochs' worth of steps, the same losses. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { loadCheckpoint, openRunDirectory } from "@ostinato/run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ledgerOf, stepsOf, trainToTheEnd } from "./support/cluster.js";
import { createWorkspace, repository } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

interface Fixture {
  readonly initialParametersSha256: string;
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
}

const fixtures = join(repository, "e2e/fixtures");
let workspace: Workspace;
let fixture: Fixture;
let runDirectory: string;

beforeAll(async () => {
  workspace = await createWorkspace();
  fixture = JSON.parse(await readFile(join(fixtures, "pytorch-run.json"), "utf8")) as Fixture;
  const config = join(fixtures, "pytorch-run.yaml");
  runDirectory = await trainToTheEnd(config, workspace.at("run"), { workers: [{}, {}] });
});

afterAll(async () => {
  await workspace.remove();
});

const relative = (is: number, expected: number): number => Math.abs(is - expected) / expected;

describe("a run of 50 steps", () => {
  it("starts from the parameters that PyTorch started from", async () => {
    const { parameters } = await loadCheckpoint(await openRunDirectory(runDirectory), 0);
    const { buffer, byteOffset, byteLength } = parameters;
    const sha256 = createHash("sha256").update(new Uint8Array(buffer, byteOffset, byteLength));
    expect(sha256.digest("hex")).toBe(fixture.initialParametersSha256);
  });

  it("has PyTorch's loss and gradient norm at every step", async () => {
    const steps = stepsOf(await ledgerOf(runDirectory));
    expect(steps).toHaveLength(fixture.losses.length);
    expect(fixture.losses).toHaveLength(50);
    for (const [index, { loss, gradientNorm }] of steps.entries()) {
      const where = `step ${index + 1}`;
      expect(relative(loss ?? NaN, fixture.losses[index] ?? NaN), where).toBeLessThan(1e-3);
      expect(
        relative(gradientNorm ?? NaN, fixture.gradientNorms[index] ?? NaN),
        where,
      ).toBeLessThan(1e-3);
    }
    // Both sides learnt something, and clipped in some steps and not in others.
    expect(fixture.losses[49]).toBeLessThan(0.9 * (fixture.losses[0] ?? 0));
    expect(new Set(steps.map(({ clipped }) => clipped)).size).toBe(2);
  });
});
