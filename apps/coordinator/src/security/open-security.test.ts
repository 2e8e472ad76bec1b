import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bindServer,
  createCoordinatorClient,
  createServer,
  implementCoordinator,
} from "@ostinato/proto";
import { ManualClock } from "@ostinato/runtime";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openSecurity } from "./index.js";
import type { Security } from "./index.js";

const TOKEN = "t".repeat(32);
const OTHER = "o".repeat(32);

let folder: string;
let tokenFile: string;
let security: Security | undefined;
const told: string[] = [];
const clock = new ManualClock();
const closers: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-security-"));
  tokenFile = join(folder, "tokens");
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
  security?.dispose();
  rmSync(folder, { recursive: true });
  told.length = 0;
});

function open(registry = new Registry()): Security {
  security = openSecurity(
    { tokenFile },
    { clock, registry, report: (_level, text) => told.push(text) },
  );
  return security;
}

/** Calls of a server behind it, with this token. */
async function callWith(guarded: Security, token: string, numCalls: number): Promise<string[]> {
  const server = createServer({ guard: guarded.guard });
  implementCoordinator(server, {
    join: () => Promise.reject(new Error("not called")),
    train: () => undefined,
    fetchData: () => {
      throw new Error("not called");
    },
    status: () => Promise.reject(new Error("answered")),
    watch: () => {
      throw new Error("not called");
    },
  });
  const address = await bindServer(server, "127.0.0.1:0", { insecure: false });
  const own = join(folder, "own-token");
  writeFileSync(own, token, { mode: 0o600 });
  const client = createCoordinatorClient(address, {
    security: { tokenFile: own, wallTimeMs: () => Date.now() },
  });
  closers.push(() => {
    client.close();
    server.forceShutdown();
  });
  const codes: string[] = [];
  for (let i = 0; i < numCalls; i++) {
    codes.push(
      await client.status().then(
        () => "answered",
        (error: unknown) => (error as { code: string }).code,
      ),
    );
  }
  return codes;
}

describe("what is turned away", () => {
  it("is counted, all of it, and told in a log that it cannot fill", async () => {
    const registry = new Registry();
    const codes = await callWith(open(registry), OTHER, 200);
    expect(new Set(codes)).toEqual(new Set(["unauthenticated"]));
    expect(told).toHaveLength(20);
    expect(told[0]).toBe(
      "refused 127.0.0.1: the token is not known here; --token-file takes one of the coordinator's",
    );
    expect(await registry.metrics()).toContain(
      'ostinato_coordinator_refusals_total{reason="unauthenticated"} 200\n',
    );
    clock.advance(2000);
    await callWith(security as Security, OTHER, 1);
    expect(told.at(-1)).toMatch(/\(180 refusals before it are not told\)$/);
  });
});

describe("a page that is asked for without the right token", () => {
  it("is counted and told like a call", async () => {
    const registry = new Registry();
    const { mayRead } = open(registry);
    expect(mayRead?.(`Bearer ${TOKEN}`, "192.0.2.7")).toBe(true);
    expect(told).toEqual([]);
    expect(mayRead?.(undefined, "192.0.2.7")).toBe(false);
    for (let i = 1; i < 50; i++) expect(mayRead?.(`Bearer ${OTHER}`, "192.0.2.7")).toBe(false);
    expect(told.slice(0, 2)).toEqual([
      "refused 192.0.2.7: whoever asks for a page shows no token",
      "refused 192.0.2.7: whoever asks for a page shows an unknown token",
    ]);
    expect(told).toHaveLength(20);
    expect(await registry.metrics()).toContain(
      'ostinato_coordinator_refusals_total{reason="unauthenticated"} 50\n',
    );
  });
});

describe("a token file that changes", () => {
  it("holds from then on; one that cannot be used changes nothing", async () => {
    const guarded = open();
    expect(await callWith(guarded, OTHER, 1)).toEqual(["unauthenticated"]);
    writeFileSync(tokenFile, OTHER);
    await vi.waitUntil(() => told.some((text) => text.includes("was read again")), 10_000);
    // Past the token: into a handler that answers with a fault.
    expect(await callWith(guarded, OTHER, 1)).toEqual(["internal"]);
    expect(await callWith(guarded, TOKEN, 1)).toEqual(["unauthenticated"]);
    chmodSync(tokenFile, 0o644);
    await vi.waitUntil(() => told.some((text) => text.includes("still hold")), 10_000);
    expect(told.at(-1)).toBe(
      `token file ${tokenFile}: other users of this machine can read or change it; chmod o-rw it; the tokens read before still hold`,
    );
    expect(await callWith(guarded, OTHER, 1)).toEqual(["internal"]);
    expect(guarded.mayRead?.(`Bearer ${OTHER}`, "")).toBe(true);
    expect(guarded.mayRead?.(`Bearer ${TOKEN}`, "")).toBe(false);
    expect(guarded.isComplete).toBe(false);
  });
});
