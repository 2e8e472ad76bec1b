/** Real coordinator processes: two and one run directory, and what one refuses. */

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { loadConfig } from "@ostinato/run";
import type { RunConfig } from "@ostinato/run";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { CoordinatorProcess } from "./support/coordinator-process.js";
import type { CoordinatorProcessOptions } from "./support/coordinator-process.js";

let folder: string;
let config: RunConfig;
let runDirectory: string;
const started: CoordinatorProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-run-lock-"));
  runDirectory = join(folder, "run");
  await writeFile(join(folder, "book.txt"), "abcdefgh".repeat(500));
  const file = join(folder, "run.yaml");
  await writeFile(
    file,
    "{ data: { files: book.txt }, model: { embeddingSize: 2, hiddenSize: 2 }, " +
      "training: { batchSize: 8, sequenceLength: 8 }, evaluation: { batchSize: 8 }, " +
      "cluster: { deadlineSeconds: 2 } }",
  );
  config = await loadConfig({ file });
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.kill()));
  await rm(folder, { recursive: true });
});

function start(options: Partial<CoordinatorProcessOptions> = {}): CoordinatorProcess {
  const process = new CoordinatorProcess({ config, runDirectory, ...options });
  started.push(process);
  return process;
}

const incarnation = (number: number): string =>
  join(runDirectory, "incarnations", `00000${number}.json`);
const ledger = (): Promise<string> => readFile(join(runDirectory, "ledger.jsonl"), "utf8");

describe("a run directory", () => {
  it("is not touched by a second coordinator while the first one works in it", async () => {
    const first = start();
    await first.ready();
    const before = await ledger();
    for (const resume of [true, false]) {
      const second = start({ resume });
      expect(await second.ended()).toBe(1);
      expect(second.output).toMatch(/^runDirectoryInUse: [^\n]+\n$/);
    }
    expect(await ledger()).toBe(before);
    first.signal("SIGTERM");
    expect(await first.ended()).toBe(143);
    expect(await readFile(incarnation(1), "utf8")).toContain("releasedAt");
  });

  it("goes over to another coordinator when the first one was killed", async () => {
    const first = start();
    await first.ready();
    await first.kill();
    expect(await readFile(incarnation(1), "utf8")).not.toContain("releasedAt");
    await start({ resume: true }).ready();
    expect(await ledger()).toContain('"type":"resume"');
  });

  it.each([
    ["", undefined],
    [", be it told to stop meanwhile,", "SIGTERM"],
  ] as const)(
    "is lost for a coordinator that slept too long, which%s writes nothing and ends",
    async (_, signal) => {
      const sleeper = start();
      await sleeper.ready();
      // Asleep between two checkpoints, not within one.
      const latest = join(runDirectory, "checkpoints", "latest.json");
      await vi.waitUntil(() => existsSync(latest), { timeout: 20_000 });
      sleeper.signal("SIGSTOP");
      const taker = start({ resume: true });
      await taker.ready();
      expect(taker.output).toMatch(/^waits: .*taken over if 2\.0 s go by without a heartbeat$/m);
      const before = await ledger();
      if (signal !== undefined) sleeper.signal(signal);
      sleeper.signal("SIGCONT");
      expect(await sleeper.ended()).toBe(1);
      expect(sleeper.output).toMatch(/^incarnationLost: .*superseded by incarnation 2, the coord/m);
      expect(await ledger()).toBe(before);
      taker.signal("SIGTERM");
      expect(await taker.ended()).toBe(143);
    },
  );

  it("of a coordinator that was killed before it began is taken by the next start", async () => {
    const first = start();
    await first.ready();
    await first.kill();
    // What is there between the claim and the first line.
    await writeFile(join(runDirectory, "ledger.jsonl"), "");
    for (const name of ["metrics.jsonl", "logs", "checkpoints", "endpoints.json"]) {
      await rm(join(runDirectory, name), { recursive: true, force: true });
    }
    const resumed = start({ resume: true });
    expect(await resumed.ended()).toBe(1);
    expect(resumed.output).toMatch(/^notARun: .* start it again, without --resume\n$/);
    await start().ready();
  });
});

describe("a coordinator", () => {
  it("shows its metrics beyond loopback only when told, and leaves nothing behind", async () => {
    const refused = start({ http: "0.0.0.0:0" });
    expect(await refused.ended()).toBe(1);
    expect(refused.output).toMatch(/^notLoopback: 0\.0\.0\.0:0 [^\n]*--insecure\n$/);
    expect(existsSync(runDirectory)).toBe(false);
  });
});
