import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askCoordinator } from "./answer.js";
import { canConnect } from "./reach.js";

/** Takes connections, and says nothing. */
let server: Server;
let address: string;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  if (!server.listening) return;
  server.close();
  await once(server, "close");
});

describe("a connection", () => {
  it("comes about with whoever listens, though nothing is said, and with nobody else", async () => {
    expect(await canConnect(address, 60_000)).toBe(true);
    server.close();
    await once(server, "close");
    expect(await canConnect(address, 60_000)).toBe(false);
    expect(await canConnect("unix:/nobody/is/here.sock", 60_000)).toBe(false);
  });
});

describe("a coordinator that does not answer", () => {
  it("is silent if it takes connections, and not reachable if nobody does", async () => {
    const asked: string[] = [];
    const [silent, unreachable] = await Promise.all([
      askCoordinator(address),
      askCoordinator(address, undefined, (whom) => {
        asked.push(whom);
        return Promise.resolve(false);
      }),
    ]);
    expect(silent).toEqual({ kind: "silent", waitedMs: 5000 });
    expect(unreachable).toEqual({
      kind: "unreachable",
      reason: `${address} is not reachable: no connection came about within 5 s`,
    });
    expect(asked).toEqual([address]);
  }, 30_000);
});
