/** Bad input: one clear line, the right exit code, and nothing left behind. */

import { createHash } from "node:crypto";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "./support/processes.js";
import type { Finished } from "./support/processes.js";
import { createWorkspace, madeUpText } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
let before: readonly string[];

beforeAll(async () => {
  workspace = await createWorkspace();
  await writeFile(workspace.at("empty.txt"), "");
  await writeFile(workspace.at("short.txt"), "Call me Ishmael.");
  const text = madeUpText(9000);
  const crlf = `\uFEFF${text.replaceAll("\n", "\r\n")}`;
  await writeFile(workspace.at("crlf.txt"), crlf);
  await writeFile(
    workspace.at("invalid.txt"),
    Buffer.concat([Buffer.from(text), Buffer.from([0xc3, 0x28])]),
  );
  // The last tenth is the test part, the tenth before it the validation part.
  await writeFile(workspace.at("strange-end.txt"), `${text.slice(0, 7400)}${"ħŋ ".repeat(500)}`);
  before = await readdir(workspace.folder);
});

afterAll(async () => {
  await workspace.remove();
});

const train = (...args: string[]): Promise<Finished> =>
  run(["train", workspace.config, "--run-dir", workspace.at("run"), ...args], {
    cwd: workspace.folder,
  });

async function expectRefusal(finished: Finished, code: number, ...parts: string[]): Promise<void> {
  const lines = finished.stderr.trimEnd().split("\n");
  expect(lines, finished.stderr).toHaveLength(1);
  for (const part of parts) expect(lines[0]).toContain(part);
  expect(finished.code).toBe(code);
  expect(await readdir(workspace.folder)).toEqual(before);
}

describe("ostinato train", () => {
  it.each([
    ["an unknown key", "model.hiddensize=8", ["hiddensize", "hiddenSize"]],
    ["a wrong type", "training.epochs=soon", ["training.epochs", "soon"]],
    [
      "a value out of range",
      "training.microShards=6",
      ["training.microShards", "6", "power of two"],
    ],
    [
      "an initializer that fits no tensor",
      'model.initialization=[{ match: "*.weight", kind: zeros }]',
      [".yaml: ", "model.initialization[0].match", '"*.weight"', "layers.0.kernel"],
    ],
    [
      "a parameter group that fits no tensor",
      'optimizer.groups=[{ match: "*.weight" }]',
      [".yaml: ", "optimizer.groups[0].match", '"*.weight"', "layers.0.kernel"],
    ],
    ["more leaves than rows", "training.microShards=16", ["microShards", "16", "13"]],
    ["a missing file", "data.files=nowhere.txt", ["nowhere.txt"]],
    ["an empty file", "data.files=empty.txt", ["empty.txt", "empty"]],
    ["a text too short for one batch", "data.files=short.txt", ["13", "16"]],
    ["invalid UTF-8", "data.files=invalid.txt", ["invalid.txt", "UTF-8", "9000"]],
  ])("refuses %s in one line with exit code 2", async (_, setting, parts) => {
    await expectRefusal(await train("--set", setting), 2, ...parts);
  });

  it("refuses a config file that is not there", async () => {
    const finished = await run(["train", workspace.at("none.yaml")], { cwd: workspace.folder });
    await expectRefusal(finished, 2, "none.yaml");
  });

  it("takes CRLF, a byte-order mark, and characters in validation that training never had", async () => {
    const other = await createWorkspace();
    try {
      for (const file of ["crlf.txt", "strange-end.txt"]) {
        const finished = await run(
          [
            ...["train", workspace.config, "--run-dir", other.at(file), "--workers", "1", "--json"],
            ...["--set", `data.files=${workspace.at(file)}`, "--set", "training.maxSteps=3"],
          ],
          { cwd: other.folder },
        );
        expect(finished.stdout).toContain('"split":"test"');
        expect(finished.code).toBe(0);
        const verified = await run(["verify", other.at(file)]);
        expect(verified.code, verified.stdout + verified.stderr).toBe(0);
      }
    } finally {
      await other.remove();
    }
  });
});

describe("ostinato train into a run directory", () => {
  let other: Workspace;

  beforeAll(async () => {
    other = await createWorkspace();
    const finished = await run(into("run"));
    expect(finished.code, finished.stderr).toBe(0);
  });

  afterAll(async () => {
    await other.remove();
  });

  function into(name: string): readonly string[] {
    return [
      ...["train", other.config, "--run-dir", other.at(name), "--workers", "1"],
      ...["--set", "training.maxSteps=3"],
    ];
  }

  /** Every file of a folder and a digest of what is in it. */
  async function filesOf(folder: string): Promise<readonly string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".log"));
    const lines = files.map(async ({ parentPath, name }) => {
      const content = await readFile(join(parentPath, name));
      return `${join(parentPath, name)} ${createHash("sha256").update(content).digest("hex")}`;
    });
    return (await Promise.all(lines)).sort();
  }

  it.each([
    ["holds another run", [], "--resume"],
    ["has another optimizer", ["--resume", "--set", "optimizer.learningRate=0.5"], "learningRate"],
    ["has another model", ["--resume", "--set", "model.hiddenSize=8"], "model.hiddenSize"],
  ])("refuses one that %s in one line, and changes nothing in it", async (_, flags, part) => {
    const untouched = await filesOf(other.at("run"));
    const finished = await run([...into("run"), ...flags]);
    expect(finished.stderr.trimEnd().split("\n"), finished.stderr).toHaveLength(1);
    expect(finished.stderr).toContain(part);
    expect(finished.code).toBe(2);
    expect(await filesOf(other.at("run"))).toEqual(untouched);
  });

  it("refuses checkpoints of another model, naming what differs", async () => {
    const wide = [...into("wide"), "--set", "model.hiddenSize=8"];
    const trained = await run(wide);
    expect(trained.code, trained.stderr).toBe(0);
    // A run whose checkpoints were swapped for those of a narrower model.
    await cp(other.at("run"), other.at("swapped"), { recursive: true });
    await rm(other.at("swapped/checkpoints"), { recursive: true });
    await cp(other.at("wide/checkpoints"), other.at("swapped/checkpoints"), { recursive: true });
    await rm(other.at("swapped/end.json"));
    const finished = await run([...into("swapped"), "--resume"]);
    expect(finished.stderr.trimEnd().split("\n"), finished.stderr).toHaveLength(1);
    expect(finished.stderr).toMatch(/another (model|run)/);
    expect(finished.code).toBe(2);
  });
});

describe("ostinato coordinator", () => {
  it("names a port that is in use and leaves nothing behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    try {
      await new Promise((resolve) => taken.once("listening", resolve));
      const { port } = taken.address() as AddressInfo;
      for (const flags of [
        ["--listen", `127.0.0.1:${port}`, "--http", "127.0.0.1:0"],
        ["--listen", "127.0.0.1:0", "--http", `127.0.0.1:${port}`],
      ]) {
        const finished = await run(
          ["coordinator", workspace.config, ...flags, "--run-dir", workspace.at("run")],
          { cwd: workspace.folder },
        );
        await expectRefusal(finished, 1, `127.0.0.1:${port}`, "in use");
      }
    } finally {
      taken.close();
    }
  });

  it.each([
    ["--listen", "--http"],
    ["--http", "--listen"],
  ])("does not let %s go beyond loopback unless told --insecure", async (beyond, other) => {
    const finished = await run(
      [
        ...["coordinator", workspace.config, beyond, "0.0.0.0:0", other, "127.0.0.1:0"],
        ...["--run-dir", workspace.at("run")],
      ],
      { cwd: workspace.folder },
    );
    await expectRefusal(finished, 2, "0.0.0.0", "--insecure");
  });
});

describe("ostinato worker", () => {
  it("gives up on a coordinator that is not there, in one line", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const finished = await run(
      ["worker", "--coordinator", `127.0.0.1:${port}`, "--deadline", "1"],
      { cwd: workspace.folder },
    );
    // It says that it tries, and ends with one line that says what came of it.
    const [trying, ended, ...more] = finished.stderr.trimEnd().split("\n");
    expect(trying).toContain(`cannot join yet; trying until the deadline`);
    expect(ended).toMatch(new RegExp(`no coordinator at 127\\.0\\.0\\.1:${port}: tried for .* s`));
    expect(more).toEqual([]);
    expect(finished.code).toBe(1);
    expect(await readdir(workspace.folder)).toEqual(before);
  });
});
