/** Who is let into a cluster of real processes, by what, and what the others cannot do to it. */

import { readdir, readFile } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Cluster,
  endOf,
  ledgerOf,
  settingFlags,
  stepsOf,
  trainToTheEnd,
} from "./support/cluster.js";
import { Credentials, VIEWER_TOKEN, WORKER_TOKEN } from "./support/credentials.js";
import { run, startChild } from "./support/processes.js";
import { expectVerified } from "./support/stories.js";
import { waitFor } from "./support/waiting.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

let workspace: Workspace;
let credentials: Credentials;
/** Final parameters of a run without any of this. */
let reference: string;

/** Enough to be in the middle of, on any machine. */
const SHORT = ["training.maxSteps=30"];

beforeAll(async () => {
  workspace = await createWorkspace();
  credentials = await Credentials.create(workspace.at("credentials"));
  const plain = await trainToTheEnd(workspace.config, workspace.at("plain"), {
    settings: SHORT,
    workers: [{}],
  });
  reference = endOf(await ledgerOf(plain)).parametersSha256;
});

afterAll(async () => {
  await workspace.remove();
});

const logOf = (runDirectory: string): Promise<string> =>
  readFile(join(runDirectory, "logs/coordinator.log"), "utf8");

describe("an encrypted cluster whose workers have certificates and tokens", () => {
  it("ends with the parameters of a plain one", async () => {
    const runDirectory = workspace.at("encrypted");
    const { config } = workspace;
    const { serverFlags, workerFlags, viewer } = credentials;
    const flags = [...serverFlags, ...settingFlags(SHORT)];
    const cluster = await Cluster.start(config, runDirectory, flags, viewer);
    try {
      cluster.addWorker({}, workerFlags);
      cluster.addWorker({}, workerFlags);
      await cluster.completed();
      for (const worker of cluster.workers) expect((await worker.finished()).code).toBe(0);
    } finally {
      await cluster.close();
    }
    expect(endOf(await ledgerOf(runDirectory)).parametersSha256).toBe(reference);
    await expectVerified(runDirectory);
  });

  it("goes on while its certificate and tokens are replaced, with those who have the new ones", async () => {
    const own = await Credentials.create(workspace.at("renewed-credentials"));
    const runDirectory = workspace.at("renewed");
    // It goes on until it is told to stop, however fast this machine is.
    const flags = [...own.serverFlags, ...settingFlags(["training.epochs=1000"])];
    const cluster = await Cluster.start(workspace.config, runDirectory, flags, own.viewer);
    try {
      const first = cluster.addWorker({}, own.workerFlags);
      await waitFor("some steps", async () => (await cluster.status()).step >= 3 || undefined);
      await own.issue("server");
      const newToken = "a-new-token-".padEnd(32, "n");
      await own.write("tokens", `worker ${newToken}\nviewer ${VIEWER_TOKEN}\n`);
      for (const file of ["server.pem", "tokens"]) {
        await waitFor(`${file} to be read again`, async () =>
          (await logOf(runDirectory)).includes(`${file} was read again`) ? true : undefined,
        );
      }
      // With the token of before nobody joins any more, nor stays.
      await waitFor("the stream of before to be ended", async () => {
        const { workers } = await cluster.status();
        return workers.length === 0 || undefined;
      });
      const late = await run([
        ...["worker", "--coordinator", cluster.ready.address],
        ...own.workerFlags,
      ]);
      expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining("not known here") });
      const newFile = await own.write("new-token", newToken);
      const second = cluster.addWorker({}, [...own.tlsFlags, "--token-file", newFile]);
      // The one that was there reads its own file anew each time that it tries.
      await own.write("worker-token", newToken);
      await cluster.joined(2);
      await cluster.passes((await cluster.status()).step + 2);
      await own.write("server.pem", "spoilt");
      await waitFor("the spoilt file to be told", async () =>
        (await logOf(runDirectory)).includes("still get what was read before") ? true : undefined,
      );
      expect((await cluster.status()).workers).toHaveLength(2);
      cluster.coordinator.kill("SIGTERM");
      expect((await cluster.coordinator.finished()).code).toBe(143);
      expect([(await first.finished()).code, (await second.finished()).code]).toEqual([0, 0]);
    } finally {
      await cluster.close();
    }
    // The one that was there before came back as another one.
    const steps = stepsOf(await ledgerOf(runDirectory));
    expect(new Set(steps.flatMap(({ nodes }) => nodes.map(({ worker }) => worker))).size).toBe(3);
    await expectVerified(runDirectory);
  });
});

describe("a closed coordinator", () => {
  let cluster: Cluster;

  beforeAll(async () => {
    await credentials.issue("expired", -1);
    await credentials.write("other-token", "another-token-".padEnd(32, "o"));
    const { serverFlags, viewer } = credentials;
    const flags = [...serverFlags, ...settingFlags(SHORT)];
    cluster = await Cluster.start(workspace.config, workspace.at("closed"), flags, viewer);
  });

  afterAll(async () => {
    await cluster.close();
  });

  it.each([
    ["no token", ["CLIENT"], 1, /refused by .*: no token was shown/],
    ["another token", ["CLIENT", "--token-file", "other-token"], 1, /the token is not known here/],
    [
      "a viewer's token",
      ["CLIENT", "--token-file", "viewer-token"],
      1,
      /a viewer's token may not call Join/,
    ],
    [
      "no certificate",
      ["--tls-ca", "ca.pem", "--token-file", "worker-token"],
      1,
      /no coordinator at .*: tried for/,
    ],
    [
      "an expired certificate",
      [
        ...["--tls-ca", "ca.pem", "--tls-cert", "expired.pem", "--tls-key", "expired.key"],
        ...["--token-file", "worker-token"],
      ],
      2,
      /certificate file .*expired\.pem: the certificate expired on/,
    ],
    ["no encryption", ["--token-file", "worker-token"], 1, /no coordinator at .*: tried for/],
  ] as const)("is not joined by a worker with %s", async (_, flags, code, line) => {
    const args = flags.flatMap((flag) => {
      if (flag === "CLIENT") return credentials.tlsFlags;
      return flag.startsWith("--") ? [flag] : [credentials.at(flag)];
    });
    const worker = await run([
      ...["worker", "--coordinator", cluster.ready.address, "--deadline", "1"],
      ...args,
    ]);
    expect(worker.stderr).toMatch(line);
    expect(worker.code).toBe(code);
    // What it says is in lines, of which none has a token.
    expect(worker.stderr).not.toContain(WORKER_TOKEN);
    expect((await cluster.status()).workers).toEqual([]);
  });

  it("tells its status to one with a viewer's token, and to nobody else", async () => {
    const { address } = cluster.ready;
    const ask = (...flags: string[]): ReturnType<typeof run> =>
      run(["status", address, "--json", ...credentials.tlsFlags, ...flags]);
    const viewer = await ask("--token-file", credentials.at("viewer-token"));
    expect(viewer.code, viewer.stderr).toBe(0);
    expect(viewer.stdout).toContain("jobId");
    const stranger = await ask();
    expect(stranger.stderr).toMatch(/^ostinato: no token was shown; .*\n$/);
    expect(stranger.code).toBe(1);
  });

  it("counts and tells whom it turned away, and trains with the one that it knows", async () => {
    const metrics = await (await fetch(`${cluster.ready.metricsAddress}/metrics`)).text();
    for (const reason of ["unauthenticated", "forbidden", "handshake"]) {
      expect(metrics).toMatch(
        new RegExp(`ostinato_coordinator_refusals_total\\{reason="${reason}"\\} [1-9]`),
      );
    }
    cluster.addWorker({}, credentials.workerFlags);
    await cluster.completed();
    const log = await logOf(workspace.at("closed"));
    expect(log).toContain("refused 127.0.0.1: a viewer's token may not call Join");
    expect(log).not.toContain(VIEWER_TOKEN);
    expect(endOf(await ledgerOf(workspace.at("closed"))).parametersSha256).toBe(reference);
  });
});

describe("an address that other machines can reach", () => {
  it("is open to those with a token, over an encrypted connection, and so are its metrics", async () => {
    const { serverFlags, workerFlags } = credentials;
    const coordinator = startChild([
      ...["coordinator", workspace.config, "--listen", "0.0.0.0:0", "--http", "0.0.0.0:0"],
      ...["--run-dir", workspace.at("open"), "--set", "training.maxSteps=3", ...serverFlags],
    ]);
    try {
      const ready = await coordinator.message<{
        readonly kind: "ready";
        readonly address: string;
        readonly metricsAddress: string;
      }>("ready");
      expect(ready.metricsAddress).toMatch(/^https:/);
      const base = ready.metricsAddress.replace("0.0.0.0", "127.0.0.1");
      expect(await statusOf(`${base}/healthz`)).toBe(200);
      expect(await statusOf(`${base}/metrics`)).toBe(401);
      expect(await statusOf(`${base}/metrics`, "x".repeat(32))).toBe(401);
      expect(await statusOf(`${base}/metrics`, VIEWER_TOKEN)).toBe(200);
      const address = ready.address.replace("0.0.0.0", "127.0.0.1");
      const worker = await run(["worker", "--coordinator", address, ...workerFlags]);
      expect(worker.code, worker.stderr).toBe(0);
      expect((await coordinator.finished()).code).toBe(0);
    } finally {
      if (coordinator.isRunning) coordinator.kill("SIGKILL");
      await coordinator.finished();
    }
  });

  async function statusOf(url: string, token?: string): Promise<number | undefined> {
    const ca = await readFile(credentials.at("ca.pem"));
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      get(url, { ca, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject);
    });
  }

  it.each([
    ["encryption alone", "--listen", ["--tls-cert", "server.pem", "--tls-key", "server.key"]],
    ["tokens alone", "--http", ["--token-file", "tokens"]],
  ])("is not listened on with %s", async (_, beyond, flags) => {
    const before = await readdir(workspace.folder);
    const args = flags.map((flag) => (flag.startsWith("--") ? flag : credentials.at(flag)));
    const other = beyond === "--http" ? "--listen" : "--http";
    const finished = await run(
      [
        ...["coordinator", workspace.config, beyond, "0.0.0.0:0", other, "127.0.0.1:0"],
        ...["--run-dir", workspace.at("none"), ...args],
      ],
      { cwd: workspace.folder },
    );
    expect(finished.stderr).toMatch(
      /^ostinato: 0\.0\.0\.0:0 can be reached .* give --tls-cert, --tls-key and --token-file, or say --insecure\n$/,
    );
    expect(finished.code).toBe(2);
    expect(await readdir(workspace.folder)).toEqual(before);
  });

  it("is not shown a token in the clear", async () => {
    const flags = ["--token-file", credentials.at("worker-token")];
    const finished = await run(["worker", "--coordinator", "192.0.2.1:7070", ...flags]);
    expect(finished.stderr).toMatch(/the token would go to 192\.0\.2\.1:7070 unencrypted; .*\n$/);
    expect(finished.code).toBe(2);
  });
});

describe("files that cannot be used", () => {
  it.each([
    [
      "another's key",
      ["--tls-cert", "server.pem", "--tls-key", "client.key"],
      "it is not the key of",
    ],
    ["a certificate without its key", ["--tls-cert", "server.pem"], "--tls-cert needs --tls-key"],
    ["a token file of others' eyes", ["--token-file", "shown-token"], "chmod o-rw"],
  ])("end a coordinator in one line: %s", async (_, flags, part) => {
    await credentials.write("shown-token", WORKER_TOKEN, 0o644);
    const before = await readdir(workspace.folder);
    const args = flags.map((flag) => (flag.startsWith("--") ? flag : credentials.at(flag)));
    const finished = await run([
      ...["coordinator", workspace.config, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
      ...["--run-dir", workspace.at("none"), ...args],
    ]);
    expect(finished.stderr.trimEnd().split("\n"), finished.stderr).toHaveLength(1);
    expect(finished.stderr).toContain(part);
    expect(finished.code).toBe(2);
    expect(await readdir(workspace.folder)).toEqual(before);
  });
});
