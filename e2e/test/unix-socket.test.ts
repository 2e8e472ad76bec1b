/** Workers on the coordinator's machine: over a Unix socket, or over TCP where there can be none. */

import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Cluster } from "./support/cluster.js";
import { run, start } from "./support/processes.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
/** The temporary directory of the programs of one test. */
let temporary: string;

beforeAll(async () => {
  workspace = await createWorkspace();
});

afterAll(async () => {
  await workspace.remove();
});

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "o-"));
});

afterEach(async () => {
  await rm(temporary, { recursive: true });
});

function train(directory: string, folder = temporary): [string[], { env: { TMPDIR: string } }] {
  const args = ["train", workspace.config, "--run-dir", workspace.at(directory), "--json"];
  return [args, { env: { TMPDIR: folder } }];
}

/** Names of the sockets' folders that are there. */
async function socketFolders(): Promise<readonly string[]> {
  return (await readdir(temporary)).filter((name) => name.startsWith("ostinato-"));
}

/** Where Linux lists Unix sockets: address, references, protocol, flags, type, state, inode, path. */
const SOCKETS = "/proc/net/unix";
const CONNECTED = "03";
const why = existsSync(SOCKETS) ? "" : ` (skipped: this system has no ${SOCKETS})`;

/** The coordinator's ends of connections to a socket below this folder: one a worker. */
function connectionsBelow(folder: string): readonly string[] {
  if (!existsSync(SOCKETS)) return [];
  return readFileSync(SOCKETS, "utf8")
    .split("\n")
    .filter((line) => {
      const [, , , , , state, , path = ""] = line.trim().split(/\s+/);
      return state === CONNECTED && path.startsWith(`${folder}/ostinato-`);
    });
}

describe("the workers of `ostinato train`", () => {
  it.skipIf(why !== "")(`connect over a socket that is gone with them${why}`, async () => {
    const [args, options] = train("socket");
    const program = start(args, options);
    await waitFor("a first step", () => (program.stdout.includes('"step"') ? true : undefined));
    await waitFor("both workers", () =>
      connectionsBelow(temporary).length === 2 ? true : undefined,
    );
    program.kill("SIGINT");
    expect((await program.finished()).code).toBe(130);
    expect(await socketFolders()).toEqual([]);
  });

  it("leave no socket behind that the next run does not remove", async () => {
    const [args, options] = train("killed");
    const program = start(args, options);
    await waitFor("a first step", () => (program.stdout.includes('"step"') ? true : undefined));
    program.kill("SIGKILL");
    await program.finished();
    await waitFor("the workers to end", () =>
      connectionsBelow(temporary).length === 0 ? true : undefined,
    );
    expect(await socketFolders()).toHaveLength(1);
    await waitFor("the coordinator to end", async () => {
      const file = workspace.at("killed/incarnations/000001.json");
      return (await readFile(file, "utf8")).includes("releasedAt") || undefined;
    });
    const resumed = await run([...args, "--resume"], options);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await socketFolders()).toEqual([]);
  });

  it("connect over TCP, and one line says so, where no socket can be made", async () => {
    const tooLong = join(temporary, "x".repeat(100));
    await mkdir(tooLong);
    const [args, options] = train("tcp", tooLong);
    const finished = await run([...args, "--set", "training.maxSteps=4"], options);
    expect(finished.code, finished.stderr).toBe(0);
    const notices = finished.stdout.split("\n").filter((line) => line.includes("over TCP instead"));
    expect(notices).toEqual([
      expect.stringMatching(/a Unix socket's has at most \d+; local workers/),
    ]);
    expect(await readdir(tooLong)).toEqual([]);
  });
});

describe("a coordinator that listens on a Unix socket", () => {
  it("trains with workers that connect to it", async () => {
    const address = `unix:${join(temporary, "o.sock")}`;
    const cluster = await Cluster.start(workspace.config, workspace.at("alone"), [
      ...["--listen", address],
      ...["--set", "training.maxSteps=4"],
    ]);
    try {
      expect(cluster.ready.address).toBe(address);
      const worker = cluster.addWorker();
      await cluster.completed();
      expect((await worker.finished()).code).toBe(0);
    } finally {
      await cluster.close();
    }
    expect(await readdir(temporary)).toEqual([]);
  });
});
