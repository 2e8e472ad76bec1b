import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { toConsoleLine } from "./console-lines.js";
import { createLogger } from "./index.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-logger-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

function linesOf(file: string): Record<string, unknown>[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("the log file", () => {
  it("has one JSON object a line, with who, when and how bad; its folder is made", async () => {
    const file = join(folder, "run", "logs", "worker-1.log");
    const { logger, flush } = createLogger({ process: "worker-1", file });
    logger.info({ jobId: "j1" }, "joined");
    logger.error({ err: new TypeError("no") }, "failed");
    await flush();
    expect(linesOf(file)).toEqual([
      {
        level: "info",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        process: "worker-1",
        pid: process.pid,
        jobId: "j1",
        msg: "joined",
      },
      expect.objectContaining({
        level: "error",
        msg: "failed",
        err: expect.objectContaining({ type: "TypeError", message: "no" }),
      }),
    ]);
  });

  it("is appended to, and takes what is at or above the level", async () => {
    const file = join(folder, "a.log");
    for (const level of ["info", "debug"] as const) {
      const { logger, flush } = createLogger({ process: "p", file, level });
      logger.debug("detail");
      logger.warn("news");
      await flush();
    }
    expect(linesOf(file).map(({ msg }) => msg)).toEqual(["news", "detail", "news"]);
  });

  it("has every line of a process that kills itself right after it", () => {
    const file = join(folder, "killed.log");
    const script = `
      import { createLogger } from "@ostinato/runtime";
      const { logger } = createLogger({ process: "p", file: ${JSON.stringify(file)} });
      for (let index = 0; index < 100; index++) logger.info({ index }, "line");
      process.kill(process.pid, "SIGKILL");
      setInterval(() => undefined, 1000);
    `;
    const { signal } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: import.meta.dirname,
    });
    expect(signal).toBe("SIGKILL");
    expect(linesOf(file).map(({ index }) => index)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  it("that cannot be opened is an error that names it", () => {
    const notAFolder = join(folder, "file");
    writeFileSync(notAFolder, "");
    const file = join(notAFolder, "a.log");
    expect(() => createLogger({ process: "p", file })).toThrow(
      expect.objectContaining({
        code: "logFile",
        message: expect.stringContaining(`cannot write the log file ${file}: `),
      }),
    );
  });

  it("that takes no more lines is reported once, and ends nothing", ({ skip }) => {
    if (process.platform !== "linux") skip("only Linux has /dev/full");
    const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    // Each write to it fails with ENOSPC.
    const { logger } = createLogger({ process: "p", file: "/dev/full" });
    logger.info("lost");
    logger.info("lost too");
    expect(errors.mock.calls).toEqual([
      [expect.stringMatching(/^cannot write the log file \/dev\/full: ENOSPC/)],
    ]);
  });
});

describe("the console", () => {
  it("is quiet unless asked, and so is a logger with neither file nor console", async () => {
    const errors = vi.spyOn(process.stderr, "write");
    const { logger, flush } = createLogger({ process: "p" });
    logger.error("nobody hears it");
    await flush();
    expect(errors).not.toHaveBeenCalled();
  });

  it("has lines for people, or JSON lines, on standard error", async () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((text, done?: unknown) => {
      written.push(String(text));
      if (typeof done === "function") (done as () => void)();
      return true;
    });
    for (const console of ["pretty", "json"] as const) {
      const { logger, flush } = createLogger({ process: "coordinator", console });
      logger.warn({ worker: "w1" }, "is late");
      await flush();
    }
    const [pretty, , json] = written;
    expect(pretty).toMatch(/^\d\d:\d\d:\d\d WARN {2}coordinator: is late {2}worker=w1\n$/);
    expect(JSON.parse(json ?? "")).toMatchObject({ level: "warn", worker: "w1", msg: "is late" });
  });

  it("that goes away ends nothing: the file has the rest of the log", async () => {
    const file = join(folder, "a.log");
    const script = `
      import { createLogger } from "@ostinato/runtime";
      const options = { process: "p", file: ${JSON.stringify(file)}, console: "pretty" };
      const { logger, flush } = createLogger(options);
      createLogger(options);
      logger.info("first");
      process.stdin.once("data", async () => {
        for (let index = 0; index < 3; index++) {
          logger.info({ index }, "after");
          await new Promise(setImmediate);
        }
        await flush();
        process.exit(7);
      });
    `;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: import.meta.dirname,
      stdio: ["pipe", "ignore", "pipe"],
    });
    const exited = once(child, "exit");
    await once(child.stderr, "data");
    child.stderr.destroy();
    await once(child.stderr, "close");
    child.stdin.write("go\n");
    expect(await exited).toEqual([7, null]);
    expect(linesOf(file).map(({ msg, index }) => index ?? msg)).toEqual(["first", 0, 1, 2]);
  });

  it("shows time, level, process, message and extras", () => {
    const line = JSON.stringify({
      level: "info",
      time: "2026-01-02T03:04:05.678Z",
      pid: 7,
      process: "worker-1",
      jobId: "j1",
      leaves: [1, 2],
      msg: "joined",
    });
    expect(toConsoleLine(line)).toBe("03:04:05 INFO  worker-1: joined  jobId=j1  leaves=[1,2]");
  });

  it("shows an error's message where no other is, and never its stack", () => {
    const line = JSON.stringify({
      level: "fatal",
      time: "2026-01-02T03:04:05.678Z",
      process: "p",
      err: { type: "Error", message: "out of memory", stack: "at file.js" },
    });
    expect(toConsoleLine(line)).toBe("03:04:05 FATAL p: out of memory");
  });

  it("passes no control character on to the terminal", () => {
    const line = JSON.stringify({
      level: "info",
      time: "2026-01-02T03:04:05.678Z",
      process: "p",
      name: "\u001b[2J",
      msg: "a\nb",
    });
    expect(toConsoleLine(line)).toBe("03:04:05 INFO  p: a b  name= [2J");
  });
});
