import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createStartChild } from "./child.js";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-child-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a program of one file. */
function start(source: string, ...programArguments: string[]) {
  const mainFile = join(folder, "main.mjs");
  writeFileSync(mainFile, source);
  return createStartChild(mainFile)(programArguments);
}

describe("a child", () => {
  it("gets its arguments, and is heard over IPC", async () => {
    const child = start("process.send(process.argv.slice(2)); process.disconnect();", "a", "b c");
    const heard = new Promise((resolve) => {
      child.onMessage(resolve);
    });
    expect(await heard).toEqual(["a", "b c"]);
    expect(await child.exited).toEqual({ code: 0, signal: undefined, lastLine: "" });
  });

  it("gets flags of Node's of its own", async () => {
    const mainFile = join(folder, "main.mjs");
    writeFileSync(mainFile, "process.send(process.execArgv); process.disconnect();");
    const child = createStartChild(mainFile)([], ["--max-semi-space-size=2"]);
    const heard = new Promise((resolve) => {
      child.onMessage(resolve);
    });
    expect(await heard).toContain("--max-semi-space-size=2");
    await child.exited;
  });

  it("ends with its exit code and its last words", async () => {
    const child = start(
      `process.stderr.write("warning: old\\nostinato: lstm.yaml: no such config file\\n\\n");
       process.exitCode = 2;
       process.disconnect();`,
    );
    expect(await child.exited).toEqual({
      code: 2,
      signal: undefined,
      lastLine: "lstm.yaml: no such config file",
    });
  });

  it("ends with the signal that killed it", async () => {
    const child = start("process.on('message', () => {});");
    child.kill("SIGKILL");
    expect(await child.exited).toMatchObject({ code: undefined, signal: "SIGKILL" });
  });

  it("notices when it is released", async () => {
    const child = start("process.on('disconnect', () => process.exit(7)); process.send('up');");
    await new Promise((resolve) => {
      child.onMessage(resolve);
    });
    child.release();
    expect(await child.exited).toMatchObject({ code: 7 });
  });
});
