import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import { createSocketDirectory } from "./socket-directory.js";

let base = "";

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "o-"));
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

it("is this user's alone, and goes with its socket", async () => {
  const directory = await createSocketDirectory(base);
  const [folder] = readdirSync(base);
  expect(statSync(join(base, folder!)).mode & 0o777).toBe(0o700);
  writeFileSync(directory.socket, "");
  await directory.remove();
  expect(readdirSync(base)).toEqual([]);
  await directory.remove();
});

it("removes what killed clusters left, and nothing else", async () => {
  const pid = deadPid();
  const left = join(base, `ostinato-${pid}-abcdef`);
  const kept = [
    `ostinato-${process.pid}-abcdef`, // of a process that lives
    `ostinato-${pid}-abc`, // no name of ours
    `ostinato-${pid}-full00`, // with something in it
    `ostinato-${pid}-live00`, // with a socket that answers, of a process in another container
  ];
  for (const folder of [left, ...kept.map((name) => join(base, name))]) mkdirSync(folder);
  writeFileSync(join(left, "coordinator.sock"), "");
  writeFileSync(join(base, `ostinato-${pid}-full00`, "precious"), "");
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(join(base, `ostinato-${pid}-live00`, "coordinator.sock"), resolve);
  });

  await createSocketDirectory(base);

  expect(existsSync(left)).toBe(false);
  for (const name of kept) expect(existsSync(join(base, name))).toBe(true);
  expect(existsSync(join(base, `ostinato-${pid}-live00`, "coordinator.sock"))).toBe(true);
  await new Promise((resolve) => server.close(resolve));
});

it("says why it cannot be made", async () => {
  await expect(createSocketDirectory(join(base, "none"))).rejects.toThrow(/ENOENT/);
});
