/** From a fresh clone to a finished run, with npm alone: what a new user does first. */

import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createWorkspace, repository } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let clone: string;
let workspace: Workspace;

/** Like a shell of the user's: nothing of the Nx run around this test. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NX_|npm_|VITEST|NODE_ENV|GIT_)/.test(name)),
);

function inClone(command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    cwd: clone,
    encoding: "utf8",
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

beforeAll(async () => {
  workspace = await createWorkspace();
  clone = await mkdtemp(join(tmpdir(), "ostinato-clone-"));
  // What a clone of this work tree would hold: the files git tracks, or would, as they are now.
  const files = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard"], {
    cwd: repository,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter(Boolean)) {
    await cp(join(repository, file), join(clone, file)).catch((error: unknown) => {
      // Deleted here and not committed yet: not in a clone either.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
  }
  inClone("git", "init", "--quiet");
  inClone("git", "add", "--all");
  inClone("npm", "ci", "--prefer-offline");
}, 300_000);

afterAll(async () => {
  await Promise.all([rm(clone, { recursive: true }), workspace.remove()]);
});

describe("a fresh clone", () => {
  it("trains with npx ostinato right after npm ci, before any build", async () => {
    const output = inClone(
      "npx",
      ...["ostinato", "train", workspace.config, "--run-dir", workspace.at("run"), "--json"],
      ...["--set", "training.maxSteps=3"],
    );
    expect(output).toContain('"split":"test"');
    expect(await readFile(workspace.at("run/end.json"), "utf8")).toContain('"completed"');
    expect(inClone("npx", "ostinato", "verify", workspace.at("run"))).toContain("verified");
  }, 300_000);

  it("has nothing changed and nothing new in it, now that everything is built", () => {
    // The compiled kernels among it: where there is a compiler, the run above had them built.
    expect(inClone("git", "diff", "--name-only")).toBe("");
    expect(inClone("git", "ls-files", "--others", "--exclude-standard")).toBe("");
  });

  it("lists in --help the commands that are there, and no other", () => {
    const help = inClone("npx", "ostinato", "--help");
    const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    expect(commands.filter((name) => name !== "help").sort()).toEqual(
      [
        "coordinator",
        "diagnose",
        "doctor",
        "evaluate",
        "generate",
        "predict",
        "status",
        "summary",
        "train",
        "translate",
        "verify",
        "worker",
      ].sort(),
    );
  });
});
