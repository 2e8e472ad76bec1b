/** `ostinato train`: the launcher, its children, and what it prints. */

import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, start } from "./support/processes.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await createWorkspace();
});

afterAll(async () => {
  await workspace.remove();
});

/** Every process below this one, by its id. */
function descendantsOf(pid: number): readonly number[] {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const children = table.flatMap(([child, parent]) =>
    parent === pid && child !== undefined ? [child] : [],
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const state = execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
    return !state.trim().startsWith("Z");
  } catch {
    return false;
  }
}

describe("ostinato train", () => {
  it("leaves no process behind when it is killed", async () => {
    const program = start([
      "train",
      workspace.config,
      "--run-dir",
      workspace.at("orphans"),
      "--json",
    ]);
    await waitFor("a first step", () => (program.stdout.includes('"step"') ? true : undefined));
    const children = descendantsOf(program.pid);
    expect(children.length).toBeGreaterThanOrEqual(3);
    program.kill("SIGKILL");
    await program.finished();
    await waitFor("all children to end", () => (children.some(isAlive) ? undefined : true), 20_000);
  });

  it("stops with a checkpoint on SIGINT, exit code 130, and goes on with --resume", async () => {
    const args = ["train", workspace.config, "--run-dir", workspace.at("stopped"), "--json"];
    const program = start(args);
    await waitFor("some steps", () => (/"step":1[2-9]\b/.test(program.stdout) ? true : undefined));
    program.kill("SIGINT");
    expect((await program.finished()).code).toBe(130);
    const resumed = await run([...args, "--resume"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    const verified = await run(["verify", workspace.at("stopped")]);
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
  });

  it("prints JSON lines and nothing else with --json", async () => {
    const finished = await run([
      ...["train", workspace.config, "--run-dir", workspace.at("json"), "--json"],
      ...["--set", "training.maxSteps=4"],
    ]);
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stderr).toBe("");
    const lines = finished.stdout.trimEnd().split("\n");
    for (const line of lines) expect(JSON.parse(line)).toBeTypeOf("object");
    expect(finished.stdout).toContain('"split":"test"');
  });

  it("makes a new run directory each time and generates, evaluates and verifies from it", async () => {
    const args = ["train", workspace.config, "--workers", "1", "--set", "training.maxSteps=4"];
    for (let i = 0; i < 2; i++) {
      const finished = await run(args, { cwd: workspace.folder });
      expect(finished.code, finished.stderr).toBe(0);
      expect(finished.stdout + finished.stderr).toMatch(/bits per character/);
    }
    const names = await readdir(workspace.at("runs"));
    expect(names).toHaveLength(2);
    const directory = workspace.at(`runs/${names[0] ?? ""}`);
    const generate = ["generate", directory, "--prompt", "the ", "--length", "40", "--seed", "5"];
    const texts = [await run(generate), await run(generate)];
    expect(texts[0]?.code, texts[0]?.stderr).toBe(0);
    expect(texts[0]?.stdout.trimEnd().length).toBeGreaterThanOrEqual(20);
    expect(texts[0]?.stdout).toBe(texts[1]?.stdout);
    const evaluated = await run(["evaluate", directory, "--split", "test"]);
    expect(evaluated.code, evaluated.stderr).toBe(0);
    expect(evaluated.stdout).toMatch(/bits per character/);
  });
});
