import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** An Nx whose build is a main.js that says hello, and that counts its runs. */
const NX = `
  const fs = require("node:fs");
  fs.appendFileSync("builds", process.argv.slice(2).join(" ") + "\\n");
  if (process.env.NX_TASK_TARGET_PROJECT) throw new Error("taken for a task of another run");
  for (const [folder, word] of [["dist", "files"], ["bundle", "hello"]]) {
    fs.mkdirSync("apps/cli/" + folder, { recursive: true });
    const program = "console.log(" + JSON.stringify(word) + ", ...process.argv.slice(2));";
    fs.writeFileSync("apps/cli/" + folder + "/main.js", program);
  }
`;

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ostinato-launcher-"));
  write("apps/cli/src/main.ts", "export {};");
  write("apps/cli/package.json", '{ "type": "module" }');
  write("libs/README", "");
  write("nx.json", "{}");
  write("package.json", "{}");
  write("node_modules/nx/bin/nx.js", NX);
  cpSync(join(import.meta.dirname, "../bin"), join(root, "apps/cli/bin"), { recursive: true });
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Starts the launcher; resolves to its exit code and what it wrote to standard error. */
async function launchBeside(): Promise<{ status: number; stderr: string }> {
  const launcher = join(root, "apps/cli/bin/ostinato.js");
  const child = spawn(process.execPath, [launcher, "verify", "r"], { env: environment() });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [status] = (await once(child, "close")) as [number];
  return { status, stderr };
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NX_TASK_TARGET_PROJECT: "the test itself" };
}

function launch(nodeArguments: readonly string[] = [], more: NodeJS.ProcessEnv = {}) {
  const launcher = join(root, "apps/cli/bin/ostinato.js");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...nodeArguments, launcher, "verify", "r"],
    { encoding: "utf8", env: { ...environment(), ...more } },
  );
  return { status, stdout, stderr };
}

function numBuilds(): number {
  return readFileSync(join(root, "builds"), "utf8").trim().split("\n").length;
}

describe("the launcher", () => {
  it("builds on first use, with one line on standard error, and runs the program", () => {
    expect(launch()).toEqual({
      status: 0,
      stdout: "hello verify r\n",
      stderr: expect.stringMatching(/^ostinato: building [^\n]*\n$/),
    });
    expect(readFileSync(join(root, "builds"), "utf8")).toMatch(/^run ostinato:bundle /);
  });

  it("runs the files that the bundle is made of where that is asked for", () => {
    const { stdout } = launch([], { OSTINATO_UNBUNDLED: "1" });
    expect(stdout).toBe("files verify r\n");
  });

  it("does not build again while the sources are the same", () => {
    launch();
    expect(launch()).toEqual({ status: 0, stdout: "hello verify r\n", stderr: "" });
    expect(numBuilds()).toBe(1);
  });

  it.each([
    ["a source was edited", () => write("apps/cli/src/main.ts", "export const edited = 1;")],
    ["a source came", () => write("apps/cli/src/new.ts", "")],
    ["a source went", () => unlinkSync(join(root, "apps/cli/src/main.ts"))],
    ["a dependency changed", () => write("package-lock.json", "{}")],
    ["the build is gone", () => rmSync(join(root, "apps/cli/dist"), { recursive: true })],
    ["the bundle is gone", () => rmSync(join(root, "apps/cli/bundle"), { recursive: true })],
  ])("builds again when %s", (_, change) => {
    launch();
    change();
    expect(launch().stdout).toBe("hello verify r\n");
    expect(numBuilds()).toBe(2);
  });

  it("builds once for two that start at the same time", async () => {
    // The build lasts until the other one waits for it.
    const [first, second] = [join(root, "began"), join(root, "waits")];
    write(
      "node_modules/nx/bin/nx.js",
      `const { existsSync, writeFileSync } = require("node:fs");
       writeFileSync(${JSON.stringify(first)}, "");
       const pause = new Int32Array(new SharedArrayBuffer(4));
       while (!existsSync(${JSON.stringify(second)})) Atomics.wait(pause, 0, 0, 10);
       ${NX}`,
    );
    const building = launchBeside();
    await vi.waitUntil(() => existsSync(first), { timeout: 15_000 });
    const waiting = spawn(process.execPath, [join(root, "apps/cli/bin/ostinato.js")], {
      env: environment(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [said] = (await once(waiting.stderr, "data")) as [Buffer];
    expect(String(said)).toBe("ostinato: waiting for the build of another process …\n");
    writeFileSync(second, "");
    expect(await once(waiting, "exit")).toEqual([0, null]);
    expect(await building).toMatchObject({ status: 0 });
    expect(numBuilds()).toBe(1);
    expect(readdirSync(join(root, ".nx"))).toEqual(["ostinato-built-from"]);
  });

  it("does not wait for a build whose process was killed", () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    write(`.nx/ostinato-build.lock/${pid}`, "");
    expect(launch().stderr).toMatch(/^ostinato: building [^\n]*\n$/);
    expect(numBuilds()).toBe(1);
  });

  it("runs what is built where the note cannot be kept", () => {
    // A file in the place of the folder that the note and the lock are kept in.
    launch();
    rmSync(join(root, ".nx"), { recursive: true });
    write(".nx", "");
    expect(launch()).toEqual({ status: 0, stdout: "hello verify r\n", stderr: "" });
    rmSync(join(root, "apps/cli/dist"), { recursive: true });
    expect(launch()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^ostinato: not built, and [^\n]* cannot be written to/),
    });
  });

  it("does not build what Nx has built and stamped", () => {
    launch();
    write("apps/cli/src/main.ts", "export const edited = 1;");
    spawnSync(process.execPath, [join(root, "apps/cli/bin/stamp.js")]);
    expect(launch().stderr).toBe("");
    expect(numBuilds()).toBe(1);
  });

  it("prints the reason of a failing build and ends with 1, and tries again the next time", () => {
    write("node_modules/nx/bin/nx.js", "console.log('main.ts(1,1): error'); process.exit(3);");
    const failed = launch();
    expect(failed).toMatchObject({ status: 1, stdout: "" });
    expect(failed.stderr).toContain("ostinato: the build failed:\nmain.ts(1,1): error");
    write("node_modules/nx/bin/nx.js", NX);
    expect(launch().status).toBe(0);
  });

  it("runs what is built where there is no Nx, and else says what to do", () => {
    launch();
    rmSync(join(root, "node_modules"), { recursive: true });
    write("apps/cli/src/main.ts", "export const edited = 1;");
    expect(launch()).toEqual({ status: 0, stdout: "hello verify r\n", stderr: "" });
    rmSync(join(root, "apps/cli/bundle"), { recursive: true });
    const unbuilt = launch();
    expect(unbuilt).toMatchObject({ status: 1, stdout: "" });
    expect(unbuilt.stderr).toMatch(/^ostinato: not built[^\n]*npm ci[^\n]*\n$/);
  });

  it.each(["18.20.0", "20.18.3", "21.7.0", "22.12.0", "23.0.0", "24.1.0"])(
    "refuses Node %s in one line, with exit code 2, before it builds",
    (version) => {
      const pretend = `Object.defineProperty(process, "versions", { value: { node: "${version}" } });`;
      const refused = launch(["--import", `data:text/javascript,${encodeURIComponent(pretend)}`]);
      expect(refused).toMatchObject({ status: 2, stdout: "" });
      expect(refused.stderr).toMatch(/^ostinato: Node [\d.]+ is not supported[^\n]*\n$/);
      expect(refused.stderr).toContain(version);
    },
  );
});
