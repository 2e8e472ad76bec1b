import { createServer as createTcpServer, connect, Server } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Counter, Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ManualClock } from "../clock/index.js";
import { lagSeconds } from "./event-loop-lag.js";
import type { OpsServer } from "./index.js";
import { collectProcessMetrics, monitorEventLoopLag, startOpsServer } from "./index.js";

let registry: Registry;
let ops: OpsServer;
let health: true | string;
let readiness: true | string;
let faults: [string, unknown][];

beforeEach(async () => {
  registry = new Registry();
  health = true;
  readiness = "no worker is here yet";
  faults = [];
  ops = await startOpsServer({
    host: "127.0.0.1",
    port: 0,
    registry,
    isHealthy: () => health,
    isReady: () => readiness,
    pages: {
      "/": () => ({ contentType: "text/html; charset=utf-8", body: "<p>step 3 — läuft</p>" }),
      "/broken": () => {
        throw new Error("/root/secret");
      },
    },
    onFault: (path, error) => faults.push([path, error]),
  });
});

afterEach(() => ops.close());

/** All that the server sends for these bytes. */
function exchange(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(ops.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes) => (answer += bytes.toString()));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    socket.end(request);
  });
}

describe("the ops server", () => {
  it("serves metrics in the format its registry names", async () => {
    new Counter({ name: "ostinato_test_steps_total", help: "Steps", registers: [registry] }).inc(3);
    const response = await fetch(`${ops.address}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toContain("\nostinato_test_steps_total 3\n");
  });

  it("says whether the process is healthy and ready, and why not", async () => {
    const ask = async (path: string): Promise<[number, string]> => {
      const response = await fetch(ops.address + path);
      return [response.status, await response.text()];
    };
    expect(await ask("/healthz")).toEqual([200, "ok\n"]);
    expect(await ask("/readyz")).toEqual([503, "no worker is here yet\n"]);
    health = "the event loop is stuck";
    readiness = true;
    expect(await ask("/healthz")).toEqual([503, "the event loop is stuck\n"]);
    expect(await ask("/readyz?verbose=1")).toEqual([200, "ok\n"]);
  });

  it("serves further pages, in UTF-8, guarded against being taken for something else", async () => {
    const response = await fetch(`${ops.address}/`);
    expect(await response.text()).toBe("<p>step 3 — läuft</p>");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("answers HEAD as GET without the body", async () => {
    const response = await fetch(`${ops.address}/`, { method: "HEAD" });
    expect([
      response.status,
      response.headers.get("content-length"),
      await response.text(),
    ]).toEqual(
      // Three bytes for the dash, two for the umlaut: 21 characters in 24 bytes.
      [200, "24", ""],
    );
  });

  it("does not know other paths, also those every object has", async () => {
    for (const path of ["/nothing", "/constructor", "/toString", "/../etc/passwd", "//"]) {
      expect((await fetch(ops.address + path)).status).toBe(404);
    }
  });

  it("takes GET and HEAD only, and no request body", async () => {
    const posted = await fetch(`${ops.address}/metrics`, { method: "POST", body: "x" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    // A body of a megabyte that never comes: answered and closed at once.
    const answer = await exchange(
      "GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain("\r\nconnection: close\r\n");
  });

  it("refuses headers above 8 KiB and what is no HTTP, and goes on", async () => {
    const large = `GET / HTTP/1.1\r\nhost: x\r\nx-large: ${"x".repeat(9000)}\r\n\r\n`;
    expect(await exchange(large)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await exchange("\u0000\u0001garbage\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`${ops.address}/healthz`)).status).toBe(200);
  });

  it("answers 500 without the reason when a page throws, and tells its owner", async () => {
    const response = await fetch(`${ops.address}/broken`);
    expect([response.status, await response.text()]).toEqual([500, "internal error\n"]);
    expect(faults).toEqual([["/broken", new Error("/root/secret")]]);
  });

  it("tells its owner of an error of the listening socket, and goes on", async () => {
    const listening = vi.spyOn(Server.prototype, "listen");
    const other = await startOpsServer({
      host: "127.0.0.1",
      port: 0,
      registry,
      isHealthy: () => true,
      isReady: () => true,
      onFault: (path, error) => faults.push([path, error]),
    });
    const error = new Error("accept EMFILE");
    (listening.mock.contexts[0] as Server).emit("error", error);
    expect(faults).toEqual([["", error]]);
    expect((await fetch(`${other.address}/healthz`)).status).toBe(200);
    await other.close();
    listening.mockRestore();
  });

  it("names the address whose port is in use", async () => {
    const tcp = createTcpServer();
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    const { port } = tcp.address() as AddressInfo;
    const options = { registry, isHealthy: () => true as const, isReady: () => true as const };
    await expect(startOpsServer({ ...options, host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "portInUse",
      message: `cannot listen on 127.0.0.1:${port}: the port is in use`,
    });
    await new Promise((resolve) => tcp.close(resolve));
    // TEST-NET-1 of RFC 5737, which no machine has.
    await expect(startOpsServer({ ...options, host: "192.0.2.1", port: 0 })).rejects.toMatchObject({
      code: "cannotListen",
      message: expect.stringMatching(/^cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL/),
    });
  });

  it("gives its port back when closed, whatever connections are open", async () => {
    const socket = connect(ops.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => undefined);
    socket.resume();
    await ops.close();
    await closed;
    await expect(fetch(`${ops.address}/healthz`)).rejects.toThrow();
    ops = await startOpsServer({
      host: "127.0.0.1",
      port: ops.port,
      registry,
      isHealthy: () => true,
      isReady: () => true,
    });
    expect((await fetch(`${ops.address}/healthz`)).status).toBe(200);
  });
});

describe("a storm of connections for pages", () => {
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  /** Opens so many from an address of this machine; counts those that are still open at the end. */
  async function open(number: number, localAddress: string): Promise<() => number> {
    const opened = Array.from({ length: number }, () => {
      const socket = connect({ port: ops.port, host: "127.0.0.1", localAddress });
      socket.on("error", () => undefined);
      socket.resume();
      return socket;
    });
    sockets.push(...opened);
    await Promise.all(
      opened.map((socket) => new Promise((resolve) => socket.once("connect", resolve))),
    );
    return () => opened.filter((socket) => !socket.closed).length;
  }

  it("of one address is cut off above its bound, and others are served on", async () => {
    const left = await open(40, "127.0.0.2");
    await vi.waitUntil(() => left() <= 16, 10_000);
    expect((await fetch(`${ops.address}/healthz`)).status).toBe(200);
    expect(left()).toBe(16);
    // What was cut off, and what closes, gives its place back.
    await vi.waitUntil(async () => {
      for (const socket of sockets.splice(0)) socket.destroy();
      const later = await open(16, "127.0.0.2");
      expect((await fetch(`${ops.address}/healthz`)).status).toBe(200);
      return later() === 16;
    }, 10_000);
  });

  it("of many addresses is cut off above the bound of all", async () => {
    const lefts: (() => number)[] = [];
    for (let host = 2; host <= 6; host++) lefts.push(await open(16, `127.0.0.${host}`));
    const left = (): number => lefts.reduce((sum, count) => sum + count(), 0);
    await vi.waitUntil(() => left() <= 64, 10_000);
    await expect(fetch(`${ops.address}/healthz`)).rejects.toThrow();
    expect(left()).toBe(64);
    for (const socket of sockets) socket.destroy();
    await vi.waitUntil(
      () =>
        fetch(`${ops.address}/healthz`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      10_000,
    );
  });
});

describe("process metrics", () => {
  it("have the memory of the process, now and at its peak, under names of their own", async () => {
    const of = new Registry();
    const peak = "ostinato_test_peak_resident_memory_bytes";
    collectProcessMetrics(of, peak);
    const valueOf = async (name: string): Promise<number> =>
      (await of.getMetricsAsJSON()).find((metric) => metric.name === name)!.values[0]!.value;
    const held = Buffer.alloc(64 << 20, 1);
    const now = await valueOf("process_resident_memory_bytes");
    expect(now).toBeGreaterThan(held.byteLength);
    // The kernel counts by its own clock tick: a little behind what the process reads of itself.
    expect(await valueOf(peak)).toBeGreaterThan(0.9 * now);
    expect(await valueOf("nodejs_external_memory_bytes")).toBeGreaterThan(held.byteLength);
  });

  it("leave the event loop's lag to the gauge that tells every scraper", () => {
    const of = new Registry();
    collectProcessMetrics(of, "ostinato_test_peak_resident_memory_bytes");
    const names = of.getMetricsAsArray().map(({ name }) => name);
    expect(names).toContain("process_cpu_seconds_total");
    expect(names.filter((name) => name.includes("eventloop_lag"))).toEqual([]);
  });
});

describe("event-loop lag", () => {
  it("is what the timer was late, not its period of 10 ms", () => {
    expect(lagSeconds(10e6)).toBe(0);
    expect(lagSeconds(9e6)).toBe(0);
    expect(lagSeconds(260e6)).toBeCloseTo(0.25, 12);
  });

  it("is a gauge in seconds that tells every scraper of a blocked loop, until minutes later", async () => {
    const name = "ostinato_test_event_loop_lag_seconds";
    const clock = new ManualClock();
    const longest = async (): Promise<number> => {
      const { values } = (await registry.getMetricsAsJSON()).find(
        (metric) => metric.name === name,
      )!;
      return values.find(({ labels }) => labels["quantile"] === "1")!.value;
    };
    const monitor = monitorEventLoopLag(registry, name, clock);
    expect(await longest()).toBe(0); // nothing measured yet
    const turnUntil = async (isDone: () => Promise<boolean>): Promise<void> => {
      while (!(await isDone())) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const blockedMs = 400;
    // What the monitors measure begins with their first turn of the loop.
    await turnUntil(async () => (await longest()) > 0);
    const endMs = performance.now() + blockedMs;
    while (performance.now() < endMs);
    // Of the time blocked, the timer's own period is no lag.
    const least = (blockedMs - 20) / 1000;
    await turnUntil(async () => (await longest()) > least);
    // A second scraper sees it too, and so does one that comes a minute later.
    expect(await longest()).toBeGreaterThan(least);
    clock.advance(60_000);
    expect(await longest()).toBeGreaterThan(least);
    clock.advance(59_999);
    expect(await longest()).toBeGreaterThan(least);
    // A machine that stalls meanwhile is lag too: it goes with its own minutes.
    await turnUntil(async () => {
      clock.advance(60_000);
      return (await longest()) < least;
    });
    monitor.stop();
    expect(registry.getSingleMetric(name)).toBeUndefined();
  });
});
