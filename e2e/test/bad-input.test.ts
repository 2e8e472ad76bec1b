/** Bad input: one clear line, the right exit code, and nothing left behind. */

import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { readdir, writeFile } from "node:fs/promises";
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
        expect(finished.stderr + finished.stdout).toMatch(/"test"/);
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
  it("refuses one that holds another run, a changed trajectory key, and another model", async () => {
    const other = await createWorkspace();
    try {
      const args = ["train", other.config, "--run-dir", other.at("run"), "--workers", "1"];
      const short = ["--set", "training.maxSteps=3"];
      expect((await run([...args, ...short])).code).toBe(0);
      const again = await run([...args, ...short]);
      expect(again.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(again.stderr).toContain("--resume");
      expect(again.code).toBe(2);
      for (const [setting, key] of [
        ["optimizer.learningRate=0.5", "optimizer.learningRate"],
        ["model.hiddenSize=8", "model.hiddenSize"],
      ] as const) {
        const changed = await run([...args, ...short, "--resume", "--set", setting]);
        expect(changed.stderr.trimEnd().split("\n"), changed.stderr).toHaveLength(1);
        expect(changed.stderr).toContain(key);
        expect(changed.code).toBe(2);
      }
    } finally {
      await other.remove();
    }
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
        await expectRefusal(finished, finished.code ?? -1, `127.0.0.1:${port}`, "in use");
        expect(finished.code).not.toBe(0);
      }
    } finally {
      taken.close();
    }
  });

  it("does not listen beyond loopback unless told --insecure", async () => {
    const finished = await run(
      [
        ...["coordinator", workspace.config, "--listen", "0.0.0.0:0", "--http", "127.0.0.1:0"],
        ...["--run-dir", workspace.at("run")],
      ],
      { cwd: workspace.folder },
    );
    await expectRefusal(finished, finished.code ?? -1, "0.0.0.0", "--insecure");
    expect(finished.code).not.toBe(0);
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
    await expectRefusal(finished, 1, `127.0.0.1:${port}`);
  });
});
