import { RunError } from "@ostinato/run";
import { describe, expect, it } from "vitest";

import type { Commands } from "./options.js";
import { runCommandLine } from "./run-command-line.js";

/** Runs a command line whose commands only note their options. */
async function run(line: string, behavior: Partial<Commands> = {}) {
  const calls: [string, unknown][] = [];
  const noting = (name: string) => (options: unknown) => {
    calls.push([name, options]);
    return Promise.resolve(0);
  };
  const commands: Commands = {
    train: noting("train"),
    coordinator: noting("coordinator"),
    worker: noting("worker"),
    generate: noting("generate"),
    evaluate: noting("evaluate"),
    predict: noting("predict"),
    translate: noting("translate"),
    verify: noting("verify"),
    summary: noting("summary"),
    diagnose: noting("diagnose"),
    status: noting("status"),
    doctor: noting("doctor"),
    ...behavior,
  };
  let [out, err] = ["", ""];
  const exitCode = await runCommandLine(line === "" ? [] : line.split(" "), {
    commands,
    version: "1.2.3",
    writeOut: (text) => (out += text),
    writeErr: (text) => (err += text),
    debug: false,
  });
  return { calls, out, err, exitCode };
}

describe("the command line", () => {
  it("reads the file that predict needs", async () => {
    const { calls } = await run("predict r --input a.jsonl");
    expect(calls).toEqual([["predict", { run: "r", input: "a.jsonl" }]]);
    const { exitCode, err } = await run("predict r");
    expect(`${exitCode} ${err}`).toContain("2 ostinato: required option '--input <file>'");
  });

  it("reads what translate is to search for", async () => {
    const defaults = { beamSize: 5, maxLength: 200, lengthPenalty: 0, numBest: 1 };
    expect((await run("translate r --text a")).calls).toEqual([
      ["translate", { run: "r", input: undefined, text: "a", ...defaults }],
    ]);
    const options = "--beam-size 8 --max-length 0 --length-penalty 0.6 --n-best 8";
    expect((await run(`translate r --input a.jsonl ${options}`)).calls).toEqual([
      [
        "translate",
        {
          ...{ run: "r", input: "a.jsonl", text: undefined },
          ...{ beamSize: 8, maxLength: 0, lengthPenalty: 0.6, numBest: 8 },
        },
      ],
    ]);
  });

  it.each([
    ["translate r", "translate needs one of --input and --text"],
    ["translate r --input a --text b", "translate needs one of --input and --text"],
    ["translate r --text a --n-best 6", "--n-best is 6; it is at most --beam-size, 5"],
    ["translate r --text a --beam-size 0", "It takes a whole number from 1 to 1000."],
    ["translate r --text a --length-penalty -1", "It takes a number from 0."],
  ])("refuses %s", async (line, words) => {
    const { calls, exitCode, err } = await run(line);
    expect([calls, exitCode]).toEqual([[], 2]);
    expect(err).toContain(words);
    expect(err.trimEnd()).not.toContain("\n");
  });

  it("reads every option of train", async () => {
    const { calls, exitCode } = await run(
      "train a.yaml --workers 3 --set seed=1 data.files=b.txt --set name=c --run-dir d --resume --json",
    );
    expect(exitCode).toBe(0);
    expect(calls).toEqual([
      [
        "train",
        {
          config: "a.yaml",
          workers: 3,
          set: ["seed=1", "data.files=b.txt", "name=c"],
          runDir: "d",
          resume: true,
          json: true,
        },
      ],
    ]);
  });

  it("needs no config to resume a run", async () => {
    const train = await run("train --run-dir d --resume --set cluster.workers=2");
    expect(train.calls[0]?.[1]).toMatchObject({ config: undefined, runDir: "d", resume: true });
    const line = "coordinator --listen :0 --http :0 --run-dir d --resume";
    expect((await run(line)).calls[0]?.[1]).toMatchObject({ config: undefined, runDir: "d" });
  });

  it("has defaults for what train is not told", async () => {
    const { calls } = await run("train a.yaml");
    expect(calls[0]?.[1]).toEqual({
      config: "a.yaml",
      workers: undefined,
      set: [],
      runDir: undefined,
      resume: false,
      json: false,
    });
  });

  it("reads coordinator and worker", async () => {
    const coordinator = await run(
      "coordinator a.yaml --listen 0.0.0.0:7070 --http 127.0.0.1:0 --run-dir r --insecure",
    );
    expect(coordinator.calls[0]?.[1]).toMatchObject({
      config: "a.yaml",
      listen: "0.0.0.0:7070",
      http: "127.0.0.1:0",
      runDir: "r",
      insecure: true,
      resume: false,
    });
    const worker = await run("worker --coordinator h:7070 --backend cpu --deadline 2.5");
    expect(worker.calls[0]?.[1]).toEqual({
      coordinator: "h:7070",
      backend: "cpu",
      http: undefined,
      insecure: false,
      security: {},
      deadline: 2.5,
      cacheDir: undefined,
      name: undefined,
      logFile: undefined,
    });
  });

  it("reads what coordinator, worker and status are protected by", async () => {
    const pair = "--tls-cert c --tls-key k --token-file t";
    const at = "coordinator a.yaml --listen h:1 --http h:2";
    const server = await run(`${at} ${pair} --tls-client-ca a`);
    expect(server.calls[0]?.[1]).toMatchObject({
      security: { tlsCert: "c", tlsKey: "k", tlsClientCa: "a", tokenFile: "t" },
    });
    for (const command of ["worker --coordinator h:1", "status h:1"]) {
      const client = await run(`${command} ${pair} --tls-ca a --insecure`);
      expect(client.calls[0]?.[1]).toMatchObject({
        insecure: true,
        security: { tlsCa: "a", tlsCert: "c", tlsKey: "k", tokenFile: "t" },
      });
    }
  });

  it("reads summary", async () => {
    expect((await run("summary r")).calls).toEqual([
      ["summary", { source: "r", set: [], json: false }],
    ]);
    expect((await run("summary a.yaml --json --set seed=2")).calls).toEqual([
      ["summary", { source: "a.yaml", set: ["seed=2"], json: true }],
    ]);
  });

  it("reads diagnose", async () => {
    const nothing = { set: [], steps: undefined, compare: undefined, svg: undefined, json: false };
    expect((await run("diagnose x.yaml")).calls).toEqual([
      ["diagnose", { source: "x.yaml", ...nothing }],
    ]);
    const line = "diagnose x.yaml --steps 30 --compare model.cell=rnn,gru --svg a.svg --json";
    expect((await run(`${line} --set seed=2`)).calls).toEqual([
      [
        "diagnose",
        {
          source: "x.yaml",
          set: ["seed=2"],
          steps: 30,
          compare: "model.cell=rnn,gru",
          svg: "a.svg",
          json: true,
        },
      ],
    ]);
  });

  it("reads status", async () => {
    const none = { target: undefined, json: false, watch: false, timeouts: false };
    const plain = { ...none, insecure: false, security: {} };
    expect((await run("status")).calls).toEqual([["status", plain]]);
    expect((await run("status 127.0.0.1:7070 --watch --json")).calls).toEqual([
      ["status", { ...plain, target: "127.0.0.1:7070", watch: true, json: true }],
    ]);
    expect((await run("status runs/a --timeouts")).calls).toEqual([
      ["status", { ...plain, target: "runs/a", timeouts: true }],
    ]);
  });

  it("reads doctor", async () => {
    expect((await run("doctor")).calls).toEqual([["doctor", { runDir: "runs", json: false }]]);
    expect((await run("doctor --run-dir /mnt/runs --json")).calls).toEqual([
      ["doctor", { runDir: "/mnt/runs", json: true }],
    ]);
  });

  it("reads generate, evaluate and verify", async () => {
    const generate = await run(
      "generate r --prompt Call --length 9 --temperature 0.5 --top-p 0.9 --seed 7",
    );
    expect(generate.calls).toEqual([
      ["generate", { run: "r", prompt: "Call", length: 9, temperature: 0.5, topP: 0.9, seed: 7 }],
    ]);
    expect((await run("evaluate r --split validation")).calls).toEqual([
      ["evaluate", { run: "r", split: "validation", json: false }],
    ]);
    expect((await run("verify r --json")).calls).toEqual([["verify", { run: "r", json: true }]]);
  });

  it.each([
    ["trian a.yaml", /unknown command 'trian' \(Did you mean train\?\)/],
    ["train", /missing required argument 'config'/],
    ["train --run-dir d", /missing required argument 'config'/],
    ["coordinator --listen :0 --http :0", /missing required argument 'config'/],
    ["train --resume", /--resume needs --run-dir/],
    ["train a.yaml b.yaml", /too many arguments/],
    ["train a.yaml --worker 2", /unknown option '--worker' \(Did you mean --workers\?\)/],
    ["train a.yaml --workers 0", /'--workers <n>' argument '0' is invalid.*from 1 to 256/],
    ["train a.yaml --workers 1.5", /argument '1.5' is invalid/],
    ["train a.yaml --resume", /--resume needs --run-dir/],
    ["coordinator a.yaml --listen :0 --http :0 --resume", /--resume needs --run-dir/],
    ["train --set seed=1 a.yaml", /argument 'a.yaml' is invalid.*CONFIG must stand before it/],
    ["coordinator a.yaml --http :0", /required option '--listen <address>' not specified/],
    ["worker --coordinator h:1 --backend gpu", /argument 'gpu' is invalid.*wasm, cpu/],
    ["generate r --top-p 1.5", /argument '1.5' is invalid.*above 0 and at most 1/],
    ["generate r --temperature nan", /argument 'nan' is invalid.*a number from 0/],
    ["diagnose a.yaml --steps many", /argument 'many' is invalid.*from 0 to 1000000/],
    ["evaluate r --split all", /train, validation, test/],
  ])("refuses `%s` in one line, with exit code 2", async (line, message) => {
    const { calls, err, out, exitCode } = await run(line);
    expect(exitCode).toBe(2);
    expect(calls).toEqual([]);
    expect(out).toBe("");
    expect(err).toMatch(/^ostinato: [^\n]+\n$/);
    expect(err).toMatch(message);
  });

  it("lists the commands in --help, with exit code 0, and none that is not there", async () => {
    const { out, err, exitCode } = await run("--help");
    expect([exitCode, err]).toEqual([0, ""]);
    const listed = [...out.matchAll(/^ {2}(\w+) .*$/gm)].map(([, name]) => name);
    expect(listed).toEqual([
      "train",
      "coordinator",
      "worker",
      "status",
      "generate",
      "evaluate",
      "predict",
      "translate",
      "summary",
      "diagnose",
      "verify",
      "doctor",
      "help",
    ]);
  });

  it("says in train's help how to train on one's own text", async () => {
    const { out, exitCode } = await run("train --help");
    expect(exitCode).toBe(0);
    expect(out).toContain("--set data.files=/path/book.txt");
  });

  it("tells its version", async () => {
    expect(await run("--version")).toMatchObject({ out: "1.2.3\n", exitCode: 0 });
  });

  it("shows its help on standard error when asked for nothing, with exit code 2", async () => {
    const { out, err, exitCode } = await run("");
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toMatch(/^Usage: ostinato/);
  });

  it("ends with the exit code of the command", async () => {
    expect((await run("verify r", { verify: () => Promise.resolve(1) })).exitCode).toBe(1);
  });

  it("tells a command's error in one line, with the exit code that it stands for", async () => {
    const failing = await run("train a.yaml", {
      train: () => Promise.reject(new RunError("configNotFound", "a.yaml: no such config file")),
    });
    expect(failing).toMatchObject({
      exitCode: 2,
      err: "ostinato: a.yaml: no such config file\n",
      out: "",
    });
  });
});
