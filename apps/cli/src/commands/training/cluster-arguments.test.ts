import { describe, expect, it } from "vitest";

import type { Commands } from "../../command-line/index.js";
import { runCommandLine } from "../../command-line/index.js";
import { clusterOptions, requireEnoughWorkers } from "./cluster-arguments.js";

const ready = {
  kind: "ready",
  address: "127.0.0.1:7070",
  localAddress: "unix:/tmp/o/coordinator.sock",
  metricsAddress: "http://127.0.0.1:9464",
  runDirectory: "runs/r",
  notes: [],
} as const;

/** What the program understands of a command line. */
async function parse(programArguments: readonly string[]): Promise<unknown> {
  let understood: unknown;
  const note = (options: unknown): Promise<number> => {
    understood = options;
    return Promise.resolve(0);
  };
  const told: string[] = [];
  const exitCode = await runCommandLine(programArguments, {
    commands: { coordinator: note, worker: note } as unknown as Commands,
    version: "",
    writeOut: () => undefined,
    writeErr: (text) => told.push(text),
    debug: false,
  });
  expect(told).toEqual([]);
  expect(exitCode).toBe(0);
  return understood;
}

// Processes of one machine need neither certificates nor tokens.
const NO_SERVER_SECURITY = {
  tlsCert: undefined,
  tlsKey: undefined,
  tlsClientCa: undefined,
  tokenFile: undefined,
};
const NO_CLIENT_SECURITY = {
  tlsCa: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  tokenFile: undefined,
};

describe("the command lines of a local cluster", () => {
  const options = clusterOptions({
    options: {
      config: "-my run.yaml",
      runDir: "a dir",
      resume: true,
    },
    overrides: ['data.baseDirectory="/some where"', "seed=1"],
    numWorkers: 3,
    minWorkers: 2,
    deadlineSeconds: 2.5,
    localSocket: "/tmp/o/coordinator.sock",
  });

  it("give the coordinator the config as it is, on loopback and on any free port", async () => {
    expect(await parse(options.coordinatorArguments)).toEqual({
      config: "-my run.yaml",
      security: NO_SERVER_SECURITY,
      listen: "127.0.0.1:0",
      localSocket: "/tmp/o/coordinator.sock",
      http: "127.0.0.1:0",
      runDir: "a dir",
      resume: true,
      insecure: false,
      set: ['data.baseDirectory="/some where"', "seed=1"],
    });
  });

  it("leave the config of a run that is resumed to the coordinator", async () => {
    const { coordinatorArguments } = clusterOptions({
      options: { config: undefined, runDir: "r", resume: true },
      ...{ overrides: [], numWorkers: 1, minWorkers: 1, deadlineSeconds: 30 },
      localSocket: undefined,
    });
    expect(await parse(coordinatorArguments)).toMatchObject({ config: undefined, runDir: "r" });
  });

  it("let workers stand by with as many threads as they will have", () => {
    expect(options.standbyArguments).toEqual(["standby", "1"]);
  });

  it("give a worker the coordinator's address on this machine, the run's deadline, and a log in the run directory", async () => {
    expect(await parse(options.workerArguments(ready, "worker-2"))).toEqual({
      security: NO_CLIENT_SECURITY,
      coordinator: "unix:/tmp/o/coordinator.sock",
      backend: undefined,
      threads: 1,
      http: "127.0.0.1:0",
      insecure: false,
      deadline: 2.5,
      cacheDir: undefined,
      name: "worker-2",
      logFile: "runs/r/logs/worker-2.log",
    });
  });
});

describe("the minimum of workers", () => {
  it("is refused where fewer are started, as no step would ever begin", () => {
    expect(() => requireEnoughWorkers(2, 3)).toThrow(
      "cluster.minWorkers is 3, more than the workers that are started, 2: no step would begin; " +
        "start more with --workers or cluster.workers",
    );
    expect(() => requireEnoughWorkers(3, 3)).not.toThrow();
  });
});
