import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { parameterLayout } from "@ostinato/lstm";
import type { WorkerMessage } from "@ostinato/proto";
import { WireError } from "@ostinato/proto";
import { describe, expect, it } from "vitest";

import { parameterMessages } from "./support/fake-coordinator.js";
import {
  cacheDirectory,
  isPhase,
  longLease,
  longRun,
  numParameters,
  startCoordinator,
  startProxy,
  startWorker,
  trainLease,
} from "./support/worker-harness.js";

describe("the end of a worker process", () => {
  it("ends at once with 143 at a second SIGTERM", async () => {
    const coordinator = await startCoordinator();
    const proxy = await startProxy(coordinator.address);
    const worker = startWorker(proxy.address, { backend: "cpu" });
    const connection = await coordinator.connection();
    await connection.message((message) => message.kind === "attach");
    // The coordinator does not learn that the worker drains: the worker waits for it.
    proxy.stop();
    // One right after the first would count as the same, passed on by npm.
    const ended = worker.ended().then(() => true);
    const later = (): Promise<false> => new Promise((resolve) => setTimeout(resolve, 50, false));
    do worker.signal("SIGTERM");
    while (!(await Promise.race([ended, later()])));
    expect(await worker.ended()).toBe(143);
  });

  it("ends when the parent dies while it drains", async () => {
    const coordinator = await startCoordinator();
    const proxy = await startProxy(coordinator.address);
    const worker = startWorker(proxy.address, { backend: "cpu" });
    const connection = await coordinator.connection();
    await connection.message((message) => message.kind === "attach");
    proxy.stop();
    worker.signal("SIGTERM");
    await worker.said(/returning the leases/);
    worker.disconnect();
    expect(await worker.ended()).toBe(1);
  });

  it("returns its leases and ends with 1 when its compute thread dies in the middle of one", async () => {
    const coordinator = await startCoordinator({ run: longRun });
    const proxy = await startProxy(coordinator.address);
    const logFile = join(cacheDirectory, "worker.log");
    const worker = startWorker(proxy.address, { http: "127.0.0.1:0", logFile });
    const connection = await coordinator.connection();
    const values = new Float32Array(parameterLayout(longRun.spec).size);
    connection.send(...parameterMessages(0, values), { kind: "lease", lease: longLease(1) });
    await connection.message(isPhase("evaluate"));
    proxy.stop();
    worker.killThread();
    // It waits for the coordinator to read that it leaves, and is of no use meanwhile.
    const reason = "the compute thread is gone: it ended with code 1";
    const address = await worker.metricsAddress();
    let health: string;
    do {
      health = await (await fetch(`${address}/healthz`)).text();
    } while (health === "ok\n");
    expect(health).toBe(`${reason}\n`);
    proxy.resume();
    const isReturn = (message: WorkerMessage): boolean => message.kind === "returnLeases";
    expect(await connection.message(isReturn)).toEqual({ kind: "returnLeases", reason });
    expect(await worker.ended()).toBe(1);
    expect(worker.linesWith("compute thread")).toHaveLength(1);
    const last = (await readFile(logFile, "utf8")).trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({
      level: "error",
      msg: reason,
      err: { stack: expect.stringContaining("compute-thread") as string },
    });
  });

  it("ends with 1 when its compute thread dies while it has no lease", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    const connection = await coordinator.connection();
    await connection.message((message) => message.kind === "attach");
    worker.killThread();
    await connection.message((message) => message.kind === "returnLeases");
    expect(await worker.ended()).toBe(1);
    expect(worker.linesWith("the compute thread is gone")).toHaveLength(1);
  });

  it("notices a coordinator that was stopped, and gives up after some deadlines", async () => {
    const coordinator = await startCoordinator({ deadlineMs: 900 });
    const proxy = await startProxy(coordinator.address);
    const worker = startWorker(proxy.address, { backend: "cpu" });
    const connection = await coordinator.connection();
    connection.send(...parameterMessages(0, new Float32Array(numParameters)));
    connection.send({ kind: "lease", lease: trainLease() });
    await connection.leaseEnded(1);
    proxy.stop();
    expect(await worker.ended()).toBe(1);
    expect(worker.linesWith("the session was lost; joining again")).toHaveLength(1);
    expect(worker.linesWith(`the coordinator at ${proxy.address} is gone`)).toHaveLength(1);
  });

  it("gives up a coordinator that takes it in and refuses each of its streams", async () => {
    const streamRefusal = new WireError("streamRefused", "no stream for you");
    const coordinator = await startCoordinator({ deadlineMs: 500, streamRefusal });
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    expect(await worker.ended()).toBe(1);
    expect(worker.linesWith("no session with the coordinator")).toHaveLength(1);
    expect(worker.linesWith("no stream for you")).toHaveLength(2);
    expect(coordinator.joins.length).toBeGreaterThan(1);
  });

  it("ends with 0 when it joins a run that is ending", async () => {
    const refusal = new WireError("shuttingDown", "the run is ending");
    const coordinator = await startCoordinator({ refusal });
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    expect(await worker.ended()).toBe(0);
    expect(worker.output).toContain("the run is ending");
    expect(coordinator.joins).toHaveLength(1);
  });

  it("ends when the parent that started it is gone", async () => {
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    const connection = await coordinator.connection();
    await connection.message((message) => message.kind === "attach");
    worker.disconnect();
    expect(await worker.ended()).not.toBe(0);
    await connection.closed();
  });

  it("says in one line that no coordinator answers, and ends with 1", async () => {
    const address = `127.0.0.1:${await unusedPort()}`;
    // Not a whole number of milliseconds, as the product of floats: 1000.9999999999999.
    const worker = startWorker(address, { backend: "cpu", deadlineSeconds: 1.001 });
    expect(await worker.ended()).toBe(1);
    const lines = worker.linesWith("no coordinator at");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`no coordinator at ${address}: tried for [\\d.]+ s`));
  });

  it("says in one line why it was refused, and ends with 1", async () => {
    const refusal = new WireError("profileRefused", "the run computes with wasm 9.9");
    const coordinator = await startCoordinator({ refusal });
    const worker = startWorker(coordinator.address, { backend: "cpu" });
    expect(await worker.ended()).toBe(1);
    expect(worker.output).toContain(
      `refused by ${coordinator.address}: the run computes with wasm 9.9`,
    );
  });

  it.each([
    ["an address that is none", "nowhere", {}, '"nowhere" is no address'],
    ["a coordinator's port 0", "127.0.0.1:0", {}, "its port must be from 1 to 65535"],
    ["a metrics address that is none", "127.0.0.1:1", { http: "here" }, '"here" is no address'],
    ["one beyond loopback", "127.0.0.1:1", { http: "0.0.0.0:0" }, "or say --insecure"],
  ])("ends with 2 for %s, and leaves nothing behind", async (_, address, options, said) => {
    const logFile = join(cacheDirectory, "logs", "worker.log");
    const worker = startWorker(address, { ...options, logFile });
    expect(await worker.ended()).toBe(2);
    expect(worker.output.trimEnd().split("\n")).toEqual([expect.stringContaining(said)]);
    expect(await readdir(cacheDirectory)).toEqual([]);
  });

  it("ends with 1 and one line when the port for its metrics is in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const coordinator = await startCoordinator();
    const worker = startWorker(coordinator.address, { http: `127.0.0.1:${port}` });
    expect(await worker.ended()).toBe(1);
    expect(worker.output.trimEnd().split("\n")).toEqual([
      expect.stringContaining(`cannot listen on 127.0.0.1:${port}: the port is in use`),
    ]);
    expect(coordinator.joins).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
  });
});

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
