import { createServer as createTcpServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { Counter, Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { lagSeconds } from "./event-loop-lag.js";
import type { OpsServer } from "./index.js";
import { monitorEventLoopLag, startOpsServer } from "./index.js";

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

describe("event-loop lag", () => {
  it("is what the timer was late, not its period of 10 ms", () => {
    expect(lagSeconds(10e6)).toBe(0);
    expect(lagSeconds(9e6)).toBe(0);
    expect(lagSeconds(260e6)).toBeCloseTo(0.25, 12);
  });

  it("is a gauge in seconds that tells of a blocked loop once, and of nothing after stop", async () => {
    const name = "ostinato_test_event_loop_lag_seconds";
    const longest = async (): Promise<number> => {
      const { values } = (await registry.getMetricsAsJSON()).find(
        (metric) => metric.name === name,
      )!;
      return values.find(({ labels }) => labels["quantile"] === "1")!.value;
    };
    const monitor = monitorEventLoopLag(registry, name);
    expect(await longest()).toBe(0); // nothing measured yet
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    await turn();
    const blockedMs = 400;
    const endMs = performance.now() + blockedMs;
    while (performance.now() < endMs);
    await turn();
    // Of the time blocked, the timer's own period is no lag.
    expect(await longest()).toBeGreaterThan((blockedMs - 20) / 1000);
    expect(await longest()).toBe(0); // since the scrape before, no turn of the loop
    monitor.stop();
    expect(registry.getSingleMetric(name)).toBeUndefined();
  });
});
