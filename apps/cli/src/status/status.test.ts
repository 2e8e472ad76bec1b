import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { StatusReply } from "@ostinato/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { answerJson, answerText, findTarget, timeoutsText } from "./index.js";
import type { Asked } from "./index.js";

const REPLY: StatusReply = {
  jobId: "small-1a2b3c4d",
  incarnation: 2,
  state: "training",
  step: 811,
  totalSteps: 1000,
  epoch: 3,
  loss: 1.23456,
  workers: [
    {
      workerId: "worker-2-1",
      name: "a-rather-long-host-name.example.org-12345",
      state: "active",
      leaves: [0, 1, 2, 3, 6],
      phase: "forward",
      sinceProgressMs: 4100,
      hereSeconds: 130,
      samplesPerSecond: 1240,
    },
    {
      workerId: "worker-2-2",
      name: "host-77",
      state: "joined",
      leaves: [],
      phase: "",
      sinceProgressMs: 0,
      hereSeconds: 3,
      samplesPerSecond: NaN,
    },
  ],
  waitingFor:
    "step 812 waits on worker-2-1 (a-rather-long-host-name.example.org-12345), leaves 0–3, 6, phase " +
    "forward: nothing moved for 4.1 s; they are leased again in 5.9 s",
  stalled: true,
  runDirectory: "runs/small-20261124T031509Z",
  metricsAddress: "http://127.0.0.1:9464",
  deadlineMs: 10_000,
  minWorkers: 1,
  samplesPerSecond: 2412,
  secondsLeft: 42,
  numLeaves: 8,
  leavesDone: 3,
  roundSeconds: 4.2,
  checkpointAgeSeconds: 12,
};

describe("what a coordinator answers", () => {
  it("fits into 80 columns", () => {
    expect(answerText({ kind: "reply", reply: REPLY }, 80)).toBe(
      `run small-1a2b3c4d · incarnation 2 · training · step 811 of 1000 · epoch 3 ·
loss 1.2346
2.4k samples/s · 42s left · 3 of 8 leaves are in after 4.2 s · checkpoint 12s
ago · deadline 10 s
run directory runs/small-20261124T031509Z, metrics http://127.0.0.1:9464/metrics

workers: 1 active, 1 not
worker      name                state    here  leaves  phase    moved  samples/s
worker-2-1  a-rather-long-hos…  active  2m10s  0–3,6   forward  4.1 s       1.2k
worker-2-2  host-77             joined     3s  –       –            –          –

Step 812 waits on worker-2-1 (a-rather-long-host-name.example.org-12345), leaves
0–3, 6, phase forward: nothing moved for 4.1 s; they are leased again in 5.9 s.
`,
    );
  });

  it("has no line longer than the terminal, however many leaves and workers there are", () => {
    const [worker] = REPLY.workers;
    const leaves = Array.from({ length: 64 }, (_, i) => 3 * i);
    const workers = Array.from({ length: 40 }, (_, i) => ({
      ...worker!,
      workerId: `worker-2-${i}`,
      leaves,
    }));
    const text = answerText({ kind: "reply", reply: { ...REPLY, workers } }, 80);
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(text).toContain("workers: 40 active\n");
  });

  it("says that nothing is waited for, and what the minimum is", () => {
    const reply = { ...REPLY, waitingFor: "", minWorkers: 3, workers: [] };
    expect(answerText({ kind: "reply", reply }, 80)).toMatch(
      /\nno workers, at least 3 for a step to begin\n\nNothing is waited for: it moves\.\n$/,
    );
  });

  it("is JSON without NaN for programs", () => {
    const json = answerJson({ kind: "reply", reply: { ...REPLY, secondsLeft: NaN } });
    expect(JSON.parse(JSON.stringify(json))).toMatchObject({
      event: "status",
      kind: "reply",
      step: 811,
      secondsLeft: null,
      workers: [{ samplesPerSecond: 1240 }, { samplesPerSecond: null }],
    });
    expect(JSON.stringify(json)).not.toContain("NaN");
  });
});

const ENDPOINTS = {
  job: "small-1a2b3c4d",
  incarnation: 1,
  pid: 4711,
  host: "node-a",
  startedAt: "2026-11-24T03:15:09.000Z",
  address: "127.0.0.1:7070",
  metricsAddress: "http://127.0.0.1:9464",
};

describe("a run without a coordinator's answer", () => {
  it("is told in one sentence, with what to do", () => {
    const text = (answer: Parameters<typeof answerText>[0]): string => answerText(answer, 500);
    const runDirectory = "runs/a";
    const idle = { kind: "idle", runDirectory, killed: ENDPOINTS, checkpointStep: 40 } as const;
    expect(text({ ...idle, unreached: "connect ECONNREFUSED 127.0.0.1:7070" })).toBe(
      "runs/a: its coordinator, process id 4711 on node-a since 2026-11-24T03:15:09.000Z, is gone without " +
        "having ended; the newest checkpoint is of step 40; --resume --run-dir runs/a goes on from there\n",
    );
    // Plaintext to an encrypted port.
    expect(text({ ...idle, unreached: "Connection dropped" })).toBe(
      "runs/a: its coordinator, process id 4711 on node-a since 2026-11-24T03:15:09.000Z, could not be asked " +
        "at 127.0.0.1:7070 (Connection dropped): it may want encryption (--tls-ca), or be out of reach from " +
        "here; the newest checkpoint is of step 40; if it is gone, --resume --run-dir runs/a goes on from there\n",
    );
    expect(
      text({
        kind: "silent",
        address: "127.0.0.1:7070",
        waitedMs: 5000,
        endpoints: ENDPOINTS,
      }),
    ).toBe(
      "the coordinator at 127.0.0.1:7070, process id 4711 on node-a, took the connection and did not answer " +
        "within 5 s: it is frozen, or its event loop is blocked\n",
    );
  });
});

describe("whom to ask", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ostinato-status-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const never = (): Promise<Asked> => Promise.reject(new Error("nobody is to be asked"));

  async function announced(name: string, endpoints: object): Promise<void> {
    await mkdir(join(folder, "runs", name), { recursive: true });
    await writeFile(join(folder, "runs", name, "endpoints.json"), JSON.stringify(endpoints));
  }

  it("is an address or a run directory, as it is given", async () => {
    expect(await findTarget("localhost:7070", { folder, ask: never })).toEqual({
      kind: "address",
      address: "localhost:7070",
    });
    await announced("a", ENDPOINTS);
    expect(await findTarget("runs/a", { folder, ask: never })).toEqual({
      kind: "run",
      runDirectory: "runs/a",
      endpoints: ENDPOINTS,
    });
    await expect(findTarget("runs/b", { folder, ask: never })).rejects.toThrow(
      "runs/b is no folder and no address; name a run directory, HOST:PORT or unix:PATH",
    );
  });

  it("is the newest run whose own coordinator answers, if none is named", async () => {
    await announced("old", { ...ENDPOINTS, address: "old:1", job: "old" });
    await announced("newer", {
      ...ENDPOINTS,
      startedAt: "2026-11-25",
      address: "gone:1",
      job: "gone",
    });
    await announced("newest", {
      ...ENDPOINTS,
      startedAt: "2026-11-26",
      address: "old:1",
      job: "x",
    });
    await announced("damaged", { job: 3 });
    const asked: string[] = [];
    const target = await findTarget(undefined, {
      folder,
      ask: (address) => {
        asked.push(address);
        return Promise.resolve(
          address === "gone:1"
            ? { kind: "unreachable", reason: "" }
            : { kind: "reply", reply: { ...REPLY, jobId: "old" } },
        );
      },
    });
    // The newest one's address belongs to another run by now, the next one's coordinator is gone.
    expect(asked).toEqual(["old:1", "gone:1", "old:1"]);
    expect(target).toMatchObject({ kind: "run", runDirectory: join("runs", "old") });
  });

  it("is nobody where no coordinator works on a run", async () => {
    await expect(findTarget(undefined, { folder, ask: never })).rejects.toThrow(
      "no coordinator works on a run in runs/; name a run directory or an address, HOST:PORT",
    );
  });
});

describe("the list of time-outs", () => {
  it("has value, derivation and effect of each, within 80 columns", () => {
    const text = timeoutsText(30_000, "of runs/a", 80);
    expect(text).toContain(
      "\n  30 s      a lease in which nothing moves (the deadline)\n            → its unfinished",
    );
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});
