/** A real server and real clients: who is let in, and by which certificate. */
import { renameSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import type { Server } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createAuthority } from "../../../tools/certificates.mjs";
import type {
  Caller,
  ClientSecurity,
  CoordinatorClient,
  Refusal,
  ServerGuard,
  ServerTlsFiles,
} from "../src/index.js";
import {
  bindServer,
  createCoordinatorClient,
  createServer,
  createServerGuard,
  encodeFrames,
  implementCoordinator,
  MAX_FRAME_BYTES,
  parseAddress,
  readTokenFile,
  ServerTls,
  Tokens,
} from "../src/index.js";
import { CredentialFiles } from "./support/credential-files.js";
import { joinReply, joinRequest } from "./support/loopback.js";
import { ManualTime } from "./support/manual-time.js";
import type { ServerSide } from "./support/loopback.js";

const WORKER = "w".repeat(32);
const VIEWER = "v".repeat(32);
const wallTimeMs = (): number => Date.now();

let files: CredentialFiles;
let server: Server;
let guard: ServerGuard;
let tokens: Tokens | undefined;
let tls: ServerTls | undefined;
let address: string;
const callers: Caller[] = [];
const sessions: ServerSide[] = [];
/** Of one test: what its server still says when it is over goes nowhere. */
let refusals: Refusal[] = [];
const reports: string[] = [];
const clients: CoordinatorClient[] = [];

beforeEach(async () => {
  files = await CredentialFiles.create();
  files.write("tokens", `worker ${WORKER}\nviewer ${VIEWER}\n`);
  files.write("worker-token", WORKER);
  files.write("viewer-token", VIEWER);
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  server.forceShutdown();
  tls?.dispose();
  tls = undefined;
  files.remove();
  refusals = [];
  for (const list of [callers, sessions, reports]) list.length = 0;
});

async function serve(options: {
  readonly tls?: ServerTlsFiles;
  readonly withTokens?: boolean;
}): Promise<void> {
  const own = refusals;
  tokens = options.withTokens === false ? undefined : readTokens();
  guard = createServerGuard({
    clock: new ManualTime(),
    tokens: () => tokens,
    onRefused: (refusal) => own.push(refusal),
  });
  server = createServer({ guard });
  implementCoordinator(server, {
    join: (_request, caller) => {
      callers.push(caller);
      return Promise.resolve(joinReply);
    },
    train: (stream, caller) => {
      callers.push(caller);
      sessions.push(stream);
      stream.onMessage(() => undefined);
    },
    fetchData: async function* () {
      yield await Promise.resolve({
        offset: 0,
        totalBytes: 1,
        payload: new Uint8Array(1),
        crc32: 0,
      });
    },
    status: () => Promise.resolve(statusReply),
    watch: async function* () {
      yield await Promise.resolve({ kind: "notice", level: "info", text: "seen" } as const);
    },
  });
  if (options.tls !== undefined) {
    const report = (_level: string, text: string): void => void reports.push(text);
    tls = new ServerTls(options.tls, { wallTimeMs, report });
  }
  address = await bindServer(server, "127.0.0.1:0", { insecure: false, tls });
}

function readTokens(): Tokens {
  return new Tokens(readTokenFile(files.at("tokens")));
}

const statusReply = {
  jobId: "job",
  incarnation: 1,
  state: "training",
  step: 1,
  totalSteps: 2,
  epoch: 0,
  loss: 1,
  workers: [],
  waitingFor: "",
  runDirectory: "",
  metricsAddress: "",
  deadlineMs: 1,
  ...{ stalled: false, minWorkers: 1, samplesPerSecond: NaN, secondsLeft: NaN },
  ...{ numLeaves: 1, leavesDone: 0, roundSeconds: 0, checkpointAgeSeconds: NaN },
};

function client(security: Omit<ClientSecurity, "wallTimeMs">, to = address): CoordinatorClient {
  const made = createCoordinatorClient(to, { security: { wallTimeMs, ...security } });
  clients.push(made);
  return made;
}

const join = (of: CoordinatorClient): Promise<unknown> =>
  of.join(joinRequest, { deadlineMs: 5000 });

describe("an encrypted server", () => {
  it("is joined by whoever trusts its authority, by name and by address", async () => {
    await serve({ tls: await files.issue("server"), withTokens: false });
    const trusting = { tls: { ca: files.at("ca.pem") } };
    const byName = `localhost:${parseAddress(address).port}`;
    expect(await join(client(trusting))).toEqual(joinReply);
    expect(await join(client(trusting, byName))).toEqual(joinReply);
    expect(callers.map(({ certificate }) => certificate)).toEqual(["", ""]);
  });

  it("is not joined by one who trusts another authority, nor under another name, nor in the clear", async () => {
    await serve({ tls: await files.issue("server", { name: "elsewhere" }), withTokens: false });
    const other = await createAuthority("another authority");
    const strange = { tls: { ca: files.write("other.pem", other.certificate) } };
    await expect(join(client(strange))).rejects.toMatchObject({ code: "unavailable" });
    const byName = `localhost:${parseAddress(address).port}`;
    await expect(join(client({ tls: { ca: files.at("ca.pem") } }, byName))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("altnames"),
    });
    await expect(join(client({}))).rejects.toMatchObject({ code: "unavailable" });
    expect(callers).toEqual([]);
  });

  it("speaks nothing older than TLS 1.3", async () => {
    await serve({ tls: await files.issue("server"), withTokens: false });
    const error = await new Promise<Error>((resolve, reject) => {
      const socket = connectTls({
        port: parseAddress(address).port,
        host: "127.0.0.1",
        maxVersion: "TLSv1.2",
        rejectUnauthorized: false,
        ALPNProtocols: ["h2"],
      });
      socket.on("error", resolve);
      socket.on("secureConnect", () => reject(new Error("TLS 1.2 was taken")));
    });
    expect(error.message).toMatch(/protocol version/);
    await vi.waitUntil(() => refusals.length > 0, 10_000);
    expect(refusals[0]).toMatchObject({
      reason: "handshake",
      // Of a socket that is gone already nobody can tell it any more.
      address: expect.stringMatching(/^(127\.0\.0\.1)?$/),
    });
  });

  it("that asks for certificates tells its handlers which one, and takes none but valid ones of its authority", async () => {
    const clientCa = files.at("ca.pem");
    await serve({ tls: { ...(await files.issue("server")), clientCa }, withTokens: false });
    const ca = files.at("ca.pem");
    const own = await files.issue("client", { name: "worker-7" });
    const known = client({ tls: { ca, own } });
    await join(known);
    known.train().send({ kind: "returnLeases", reason: "none" });
    await vi.waitUntil(() => callers.length === 2);
    const [one, two] = callers;
    expect(one?.certificate).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
    expect(two?.certificate).toBe(one?.certificate);

    await expect(join(client({ tls: { ca } }))).rejects.toMatchObject({ code: "unavailable" });
    const stranger = await createAuthority("another authority");
    const foreign = await files.issue("foreign", { by: stranger });
    await expect(join(client({ tls: { ca, own: foreign } }))).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(callers).toHaveLength(2);
    // Told after the client has heard of it; a client may have tried twice.
    await vi.waitUntil(() => refusals.length >= 2, 10_000);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(["handshake"]));
  });

  it("does not take a certificate of its authority that has expired", async () => {
    const clientCa = files.at("ca.pem");
    await serve({ tls: { ...(await files.issue("server")), clientCa }, withTokens: false });
    const own = await files.issue("old", { days: -1 });
    // One who does not look at its own clock, which our own clients do.
    const security = {
      tls: { ca: files.at("ca.pem"), own },
      wallTimeMs: () => Date.now() - 1.5 * 86_400_000,
    };
    const stale = createCoordinatorClient(address, { security });
    clients.push(stale);
    await expect(join(stale)).rejects.toMatchObject({ code: "unavailable" });
    await vi.waitUntil(() => refusals.length > 0, 10_000);
    expect(refusals[0]).toMatchObject({ reason: "handshake", text: "CERT_HAS_EXPIRED" });
  });
});

describe("files that change under an open server", () => {
  const trusting = (): Omit<ClientSecurity, "wallTimeMs"> => ({ tls: { ca: files.at("ca.pem") } });

  /** Which certificate a new connection is shown. */
  async function shown(): Promise<string> {
    return await new Promise((resolve, reject) => {
      const { port } = parseAddress(address);
      const options = { port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] };
      const socket = connectTls(options, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  }

  it("are what new connections get, while those that are open go on", async () => {
    await serve({ tls: await files.issue("server"), withTokens: false });
    const before = await shown();
    const open = client(trusting());
    await join(open);
    const stream = open.train();
    stream.onMessage(() => undefined);
    let closed = false;
    stream.onClosed(() => (closed = true));
    // Both at once, as one that renews them does.
    await files.issue("next");
    renameSync(files.at("next.key"), files.at("server.key"));
    renameSync(files.at("next.pem"), files.at("server.pem"));
    await vi.waitUntil(() => reports.some((text) => text.includes("was read again")), 10_000);
    expect(await shown()).not.toBe(before);
    await join(open);
    await join(client(trusting()));
    expect(closed).toBe(false);
  });

  it("let in by the authority of clients that is there now, and nobody by the one before", async () => {
    const next = await createAuthority("the next authority");
    const clientCa = files.write("clients.pem", files.authority.certificate, 0o644);
    await serve({ tls: { ...(await files.issue("server")), clientCa }, withTokens: false });
    const ca = files.at("ca.pem");
    const [old, fresh] = [await files.issue("old"), await files.issue("fresh", { by: next })];
    const joinAs = async (own: typeof old): Promise<string> =>
      join(client({ tls: { ca, own } })).then(
        () => "joined",
        (error: unknown) => (error as { code: string }).code,
      );
    expect([await joinAs(old), await joinAs(fresh)]).toEqual(["joined", "unavailable"]);
    files.write("clients.pem", next.certificate, 0o644);
    await vi.waitUntil(() => reports.some((text) => text.includes("was read again")), 10_000);
    expect([await joinAs(old), await joinAs(fresh)]).toEqual(["unavailable", "joined"]);
  });

  it("are left alone where they cannot be used, which is said", async () => {
    await serve({ tls: await files.issue("server"), withTokens: false });
    const before = await shown();
    files.write("server.pem", "no certificate", 0o644);
    await vi.waitUntil(() => reports.length > 0, 10_000);
    expect(reports).toEqual([
      `certificate file ${files.at("server.pem")}: it holds no PEM certificate (-----BEGIN CERTIFICATE-----); new connections still get what was read before`,
    ]);
    expect(await shown()).toBe(before);
    await join(client(trusting()));
  });
});

describe("a server with tokens", () => {
  it("lets a worker's do everything, and a viewer's look", async () => {
    await serve({});
    const worker = client({ tokenFile: files.at("worker-token") });
    await join(worker);
    expect((await worker.status()).jobId).toBe("job");
    for await (const chunk of worker.fetchData("aa")) expect(chunk.totalBytes).toBe(1);
    const viewer = client({ tokenFile: files.at("viewer-token") });
    expect((await viewer.status()).jobId).toBe("job");
    for await (const event of viewer.watch()) expect(event).toMatchObject({ text: "seen" });
    await expect(join(viewer)).rejects.toMatchObject({
      code: "forbidden",
      message: "a viewer's token may not call Join",
    });
    const fetch = async (): Promise<void> => {
      for await (const chunk of viewer.fetchData("aa")) expect(chunk).toBeUndefined();
    };
    await expect(fetch()).rejects.toMatchObject({ code: "forbidden" });
    const stream = viewer.train();
    stream.onMessage(() => undefined);
    const error = await new Promise((resolve) => stream.onClosed(resolve));
    expect(error).toMatchObject({ code: "forbidden" });
    expect(callers).toHaveLength(1);
  });

  it("serves nobody who shows none, or another", async () => {
    await serve({});
    const other = files.write("other-token", "x".repeat(32));
    for (const security of [{}, { tokenFile: other }]) {
      const stranger = client(security);
      await expect(join(stranger)).rejects.toMatchObject({ code: "unauthenticated" });
      await expect(stranger.status()).rejects.toMatchObject({ code: "unauthenticated" });
    }
    expect(callers).toEqual([]);
    expect(refusals).toHaveLength(4);
    // Whoever reads the log learns no token.
    expect(JSON.stringify(refusals)).not.toMatch(/xxxx|wwww|vvvv/);
  });

  it("ends the streams whose token is taken away, and no other", async () => {
    const other = "x".repeat(32);
    files.write("tokens", `worker ${WORKER}\nworker ${other}\n`);
    await serve({});
    const [own, others] = ["worker-token", files.write("other-token", other)];
    const streams = [files.at(own), others].map((tokenFile) => client({ tokenFile }).train());
    const ends = streams.map((stream) => {
      stream.onMessage(() => undefined);
      return new Promise((resolve) => stream.onClosed(resolve));
    });
    await vi.waitUntil(() => callers.length === 2);
    guard.recheck();
    expect(refusals).toEqual([]);

    files.write("tokens", `worker ${other}\n`);
    tokens = readTokens();
    guard.recheck();
    await expect(ends[0]).resolves.toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining("not known here"),
    });
    expect(refusals).toMatchObject([{ reason: "unauthenticated" }]);

    // What is over is looked at no more; what goes on still is.
    tokens = new Tokens([]);
    guard.recheck();
    await expect(ends[1]).resolves.toMatchObject({ code: "unauthenticated" });
    expect(refusals).toHaveLength(2);
  });

  it("ends the stream of a peer that reads nothing, too", async () => {
    await serve({});
    const peer = connectHttp2(`http://${address}`, { settings: { initialWindowSize: 0 } });
    try {
      const call = peer.request({
        ...{ ":method": "POST", ":path": "/ostinato.v1.Coordinator/Train" },
        ...{
          "content-type": "application/grpc",
          te: "trailers",
          authorization: `Bearer ${WORKER}`,
        },
      });
      call.on("error", () => undefined);
      await vi.waitUntil(() => sessions.length === 1);
      const [session] = sessions;
      const values = new Float32Array(MAX_FRAME_BYTES / 4);
      const [frame] = encodeFrames({ transfer: 1, transferKind: "parameters", values });
      // Nothing of it is taken, and the status waits behind it.
      session?.send({ kind: "frame", frame: frame! });
      const ended = new Promise((resolve) => session?.onClosed(resolve));
      tokens = new Tokens([]);
      guard.recheck();
      await expect(ended).resolves.toMatchObject({ code: "unavailable" });
    } finally {
      peer.destroy();
    }
  });

  it("is shown none by a client that would send it in the clear to another machine", () => {
    const security = { tokenFile: files.at("worker-token"), wallTimeMs };
    expect(() => createCoordinatorClient("192.0.2.1:7070", { security })).toThrow(
      expect.objectContaining({
        code: "notLoopback",
        message: expect.stringContaining("192.0.2.1:7070 unencrypted"),
      }),
    );
    const bold = createCoordinatorClient("192.0.2.1:7070", {
      security: { ...security, insecure: true },
    });
    clients.push(bold);
    expect(bold.address).toBe("192.0.2.1:7070");
  });
});

describe("an address that other machines can reach", () => {
  const remedy = "--tls-cert, --tls-key and --token-file";

  it("is listened on with encryption and tokens", async () => {
    await serve({});
    tls = new ServerTls(await files.issue("server"), { wallTimeMs, report: () => undefined });
    const open = { insecure: false, isProtected: true, tls };
    expect(await bindServer(server, "0.0.0.0:0", open)).toMatch(/^0\.0\.0\.0:[1-9]/);
  });

  it("is not without, and how to is said", async () => {
    await serve({});
    await expect(
      bindServer(server, "0.0.0.0:0", { insecure: false, remedy }),
    ).rejects.toMatchObject({
      code: "notLoopback",
      message: expect.stringContaining(`give ${remedy}, or say --insecure`),
    });
  });
});
