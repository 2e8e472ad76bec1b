import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import type { ClientHttp2Session, Settings } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, ClientReadableStream, Server } from "@grpc/grpc-js";
import { credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FLOW_CONTROL_WINDOW_BYTES } from "./channel-options.js";
import {
  addHealth,
  bindServer,
  createServer,
  isSocketAnswering,
  requireLoopback,
} from "./index.js";

const servers: Server[] = [];

function newServer(): Server {
  const server = createServer();
  servers.push(server);
  return server;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
  vi.restoreAllMocks();
});

interface HealthClient extends Client {
  check(
    request: { service: string },
    callback: (error: { code: number } | null, reply?: { status: string }) => void,
  ): void;
  watch(request: { service: string }): ClientReadableStream<{ status: string }>;
}

describe("bindServer", () => {
  it("returns the address with the port that it took", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const address = await bindServer(newServer(), `${host}:0`, { insecure: false });
      expect(address).toMatch(new RegExp(`^${host}:[1-9]\\d*$`));
    }
  });

  it("refuses addresses beyond loopback, unless told insecure", async () => {
    for (const address of ["0.0.0.0:0", "[::]:0", "example.org:0"]) {
      await expect(bindServer(newServer(), address, { insecure: false })).rejects.toMatchObject({
        code: "notLoopback",
        message: expect.stringContaining(address),
      });
    }
    const allowed = await bindServer(newServer(), "0.0.0.0:0", { insecure: true });
    expect(allowed).toMatch(/^0\.0\.0\.0:[1-9]/);
  });

  it("asks by the same rule that any other listener of this program may ask by", () => {
    const address = { host: "0.0.0.0", port: 9464 };
    expect(() => requireLoopback("0.0.0.0:9464", { insecure: false })).toThrow(
      expect.objectContaining({
        code: "notLoopback",
        message: expect.stringMatching(/^0\.0\.0\.0:9464 can be reached .* or say --insecure$/),
      }),
    );
    expect(requireLoopback("0.0.0.0:9464", { insecure: true })).toEqual(address);
    expect(requireLoopback("[::1]:0", { insecure: false })).toEqual({ host: "::1", port: 0 });
  });

  it("names the address whose port is in use, and writes nothing to the console", async () => {
    const consoleError = vi.spyOn(console, "error");
    const other = createTcpServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    for (const host of ["127.0.0.1", "localhost"]) {
      const address = `${host}:${port}`;
      await expect(bindServer(newServer(), address, { insecure: false })).rejects.toMatchObject({
        code: "portInUse",
        message: `cannot listen on ${address}: the port is in use`,
      });
    }
    expect(consoleError).not.toHaveBeenCalled();
    await new Promise((resolve) => other.close(resolve));
  });

  it("says why it cannot listen on an address that is not this machine's", async () => {
    // TEST-NET-1 of RFC 5737, which no machine has.
    const bound = bindServer(newServer(), "192.0.2.1:0", { insecure: true });
    await expect(bound).rejects.toMatchObject({
      code: "cannotListen",
      message: expect.stringMatching(/^cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL/),
    });
  });
});

describe("a Unix socket", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ostinato-socket-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("is listened on as loopback is, and is gone with its server", async () => {
    const path = join(folder, "s");
    const server = newServer();
    expect(await bindServer(server, `unix:${path}`, { insecure: false })).toBe(`unix:${path}`);
    expect(await isSocketAnswering(path)).toBe(true);
    server.forceShutdown();
    await vi.waitUntil(() => !existsSync(path));
    expect(await isSocketAnswering(path)).toBe(false);
  });

  it("is beside the port of the same server", async () => {
    const server = newServer();
    const port = await bindServer(server, "127.0.0.1:0", { insecure: false });
    await bindServer(server, `unix:${join(folder, "s")}`, { insecure: false });
    expect(port).toMatch(/^127\.0\.0\.1:[1-9]/);
  });

  it("that a killed process left is replaced", async () => {
    const path = join(folder, "s");
    const source = `
      require("node:net").createServer().listen(${JSON.stringify(path)}, () => {
        process.kill(process.pid, "SIGKILL");
      });`;
    expect(spawnSync(process.execPath, ["-e", source]).signal).toBe("SIGKILL");
    expect(existsSync(path)).toBe(true);
    await bindServer(newServer(), `unix:${path}`, { insecure: false });
    expect(await isSocketAnswering(path)).toBe(true);
  });

  it("that another server has stays its, and so does a file that is no socket", async () => {
    const [taken, file] = [join(folder, "taken"), join(folder, "file")];
    await bindServer(newServer(), `unix:${taken}`, { insecure: false });
    writeFileSync(file, "kept");
    for (const path of [taken, file]) {
      const address = `unix:${path}`;
      await expect(bindServer(newServer(), address, { insecure: false })).rejects.toMatchObject({
        code: "portInUse",
        message: `cannot listen on ${address}: the file is there already`,
      });
    }
    expect(await isSocketAnswering(taken)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("kept");
  });

  it("in a folder that is not there cannot be listened on", async () => {
    const address = `unix:${join(folder, "none", "s")}`;
    await expect(bindServer(newServer(), address, { insecure: false })).rejects.toMatchObject({
      code: "cannotListen",
      message: expect.stringContaining(address),
    });
  });

  it("is no address for what only has ports", () => {
    expect(() => requireLoopback("unix:/tmp/s", { insecure: false })).toThrow(
      expect.objectContaining({ code: "invalidAddress" }),
    );
  });
});

describe("health", () => {
  it("answers as the standard service does", async () => {
    const server = newServer();
    const health = await addHealth(server);
    const address = await bindServer(server, "127.0.0.1:0", { insecure: false });
    const { Health } = loadPackageDefinition({ Health: healthService });
    const client = new (Health as unknown as new (...args: unknown[]) => HealthClient)(
      address,
      credentials.createInsecure(),
    );
    const check = (service: string): Promise<string> =>
      new Promise((resolve) => {
        client.check({ service }, (error, reply) =>
          resolve(reply?.status ?? `status ${error?.code}`),
        );
      });

    const checkBoth = async (): Promise<string[]> => [
      await check(""),
      await check("ostinato.v1.Coordinator"),
    ];
    expect(await checkBoth()).toEqual(["NOT_SERVING", "NOT_SERVING"]);
    health.set("", "SERVING");
    expect(await checkBoth()).toEqual(["SERVING", "SERVING"]);
    health.set("", "NOT_SERVING");
    expect(await checkBoth()).toEqual(["NOT_SERVING", "NOT_SERVING"]);
    expect(await check("ostinato.v1.Other")).toBe("status 5"); // NOT_FOUND
    health.set("ostinato.v1.Other", "SERVING");
    expect(await check("ostinato.v1.Other")).toBe("SERVING");
    client.close();
  });

  it("is watched for the one service alone: names of nothing are not kept", async () => {
    const server = newServer();
    await addHealth(server);
    const address = await bindServer(server, "127.0.0.1:0", { insecure: false });
    const { Health } = loadPackageDefinition({ Health: healthService });
    const client = new (Health as unknown as new (...args: unknown[]) => HealthClient)(
      address,
      credentials.createInsecure(),
    );
    const watched = client.watch({ service: "" });
    expect(await once(watched, "data")).toMatchObject([{ status: "NOT_SERVING" }]);
    const other = client.watch({ service: "x".repeat(1000) });
    expect(await once(other, "error")).toMatchObject([{ code: 5 }]); // NOT_FOUND
    watched.on("error", () => undefined).cancel();
    client.close();
  });
});

describe("what a client may send ahead of the server", () => {
  let session: ClientHttp2Session;

  afterEach(() => session.destroy());

  it("is the window of a stream and of a connection, which grpc-js' own options do not set", async () => {
    const address = await bindServer(newServer(), "127.0.0.1:0", { insecure: false });
    session = connect(`http://${address}`);
    let streamBytes: number | undefined;
    // The first settings are grpc-js' own.
    while (streamBytes !== FLOW_CONTROL_WINDOW_BYTES) {
      const [settings] = (await once(session, "remoteSettings")) as [Settings];
      streamBytes = settings.initialWindowSize;
    }
    // What tells of the connection's window came before the answer to this.
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    expect(session.state.remoteWindowSize).toBe(FLOW_CONTROL_WINDOW_BYTES);
  });
});
