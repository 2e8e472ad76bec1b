/** `ostinato doctor` in this process: what it finds here, and what it says of a place that won't do. */

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runCommand } from "./support/command.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-doctor-test-"));
  await writeFile(join(folder, "file"), "");
});

afterAll(() => rm(folder, { recursive: true }));

describe("ostinato doctor", () => {
  it("says that training can run, on which backend and how fast, and leaves nothing behind", async () => {
    const { exitCode, out: stdout } = await runCommand(folder, "doctor", "--json");
    const report = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    expect(report).toMatchObject({
      ...{ event: "doctor", canTrain: true, problems: [] },
      usedBackend: expect.stringMatching(/^(native|wasm)$/) as unknown,
      backends: ["native", "wasm", "cpu", "native-bfloat16"].map((name) => ({ name })),
      runFolder: { folder: join(folder, "runs"), trouble: null },
    });
    const speed = Object.values(report["speed"] as object).filter((value) => value !== null);
    expect(speed.every((value) => Number.isFinite(value) && (value as number) > 0)).toBe(true);
    expect(exitCode).toBe(0);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("fails with one line that says what to do where no run can be kept", async () => {
    const { exitCode, out: stdout } = await runCommand(folder, "doctor", "--run-dir", "file/runs");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^Training can't run here: a problem\.\n/);
    const words = stdout.replace(/\s+/g, " ");
    expect(words).toContain(`no run can be kept in ${join(folder, "file/runs")} (ENOTDIR`);
    expect(words).toContain("give --run-dir a folder");
  });
});
