import crypto from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  accessProblem,
  authorizationOf,
  isSameSecret,
  readOwnToken,
  readTokenFile,
  Tokens,
} from "./index.js";

const WORKER = "0123456789abcdef0123456789abcdef";
const VIEWER = "fedcba9876543210fedcba9876543210";

let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-tokens-"));
  file = join(folder, "tokens");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string, mode = 0o600): void {
  writeFileSync(file, text, { mode });
}

describe("a token file", () => {
  it("has a token a line, its role before it; without one it is a worker's", () => {
    write(`# made with openssl rand -hex 16\n\n${WORKER}\r\n  viewer\t${VIEWER}  \n`);
    expect(readTokenFile(file)).toEqual([
      { role: "worker", token: WORKER },
      { role: "viewer", token: VIEWER },
    ]);
  });

  it.each([
    ["nothing", "", "it is empty"],
    ["comments alone", "# none\n", "it holds no token"],
    ["a short token", "worker short", "line 1: the token has 5 characters; it must have 16 to 512"],
    [
      "a long token",
      "a".repeat(513),
      "line 1: the token has 513 characters; it must have 16 to 512",
    ],
    [
      "a role that is none",
      `# x\nadmin ${WORKER}`,
      "line 2 is not of the form TOKEN, worker TOKEN or viewer TOKEN",
    ],
    ["a token that is no visible ASCII", `wörker-${WORKER}`, "line 1 is not of the form"],
    ["one token in two roles", `worker ${WORKER}\nviewer ${WORKER}`, "line 2 repeats a token"],
    [
      "too many tokens",
      Array.from({ length: 65 }, (_, i) => `${WORKER}${i}`).join("\n"),
      "it holds 65 tokens; at most 64 are taken",
    ],
    ["more than a megabyte", "#".repeat((1 << 20) + 1), "it has 1048577 bytes; at most 1048576"],
  ])("with %s is refused, in one line that has no token", (_, text, reason) => {
    write(text);
    let message = "";
    try {
      readTokenFile(file);
    } catch (error) {
      expect(error).toMatchObject({ code: "credentialFile" });
      message = (error as Error).message;
    }
    expect(message).toContain(`token file ${file}: ${reason}`);
    expect(message).not.toMatch(/\n|0123456789/);
  });

  it("that others of the machine can read or write is refused; that the group can is not", () => {
    write(WORKER);
    for (const mode of [0o604, 0o602, 0o666]) {
      chmodSync(file, mode);
      expect(() => readTokenFile(file)).toThrow(
        expect.objectContaining({
          code: "credentialFile",
          message: `token file ${file}: other users of this machine can read or change it; chmod o-rw it`,
        }),
      );
    }
    chmodSync(file, 0o640);
    expect(readOwnToken(file)).toBe(WORKER);
  });

  it("that is not there, or is a folder, is refused", () => {
    const none = join(folder, "none");
    expect(() => readTokenFile(none)).toThrow(`token file ${none}: no such file`);
    expect(() => readTokenFile(folder)).toThrow(/folder$|can read or change it/);
    chmodSync(folder, 0o700);
    expect(() => readTokenFile(folder)).toThrow(`token file ${folder}: it is a folder`);
  });

  it("of a client has one token", () => {
    write(`viewer ${VIEWER}\n`);
    expect(readOwnToken(file)).toBe(VIEWER);
    write(`${WORKER}\nviewer ${VIEWER}\n`);
    expect(() => readOwnToken(file)).toThrow(
      `token file ${file}: it holds 2 tokens; a client has one`,
    );
  });
});

describe("access", () => {
  const tokens = new Tokens([
    { role: "worker", token: WORKER },
    { role: "viewer", token: VIEWER },
  ]);
  const problemOf = (call: string, token?: string): string | undefined =>
    accessProblem(
      tokens,
      `/ostinato.v1.Coordinator/${call}`,
      token === undefined ? undefined : authorizationOf(token),
    )?.code;

  it("is every call's for a worker, and Status and Watch for a viewer", () => {
    for (const call of ["Join", "Train", "FetchData", "Status", "Watch"]) {
      const isForViewers = ["Status", "Watch"].includes(call);
      expect(problemOf(call, WORKER)).toBeUndefined();
      expect(problemOf(call, VIEWER)).toBe(isForViewers ? undefined : "forbidden");
      expect(problemOf(call, `${WORKER.slice(0, -1)}0`)).toBe("unauthenticated");
      expect(problemOf(call, WORKER.slice(0, -1))).toBe("unauthenticated");
      expect(problemOf(call)).toBe("unauthenticated");
    }
  });

  it("is nobody's to calls that do not exist, and everybody's to health", () => {
    expect(problemOf("Join/../Status", VIEWER)).toBe("forbidden");
    expect(problemOf("toString", WORKER)).toBe("forbidden");
    expect(accessProblem(tokens, "/grpc.health.v1.Health/Check", undefined)).toBeUndefined();
  });

  it("is not given to a header of another form", () => {
    const path = "/ostinato.v1.Coordinator/Status";
    for (const header of [WORKER, `Basic ${WORKER}`, `Bearer  ${WORKER} x`, "Bearer", ""]) {
      expect(accessProblem(tokens, path, header)?.code).toBe("unauthenticated");
    }
    expect(accessProblem(tokens, path, `bearer ${WORKER}`)).toBeUndefined();
  });
});

describe("the comparison of secrets", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  it("is made with every token, at digests of one length, whichever it is", () => {
    const tokens = new Tokens([
      { role: "worker", token: WORKER },
      { role: "viewer", token: VIEWER },
    ]);
    const compare = vi.spyOn(crypto, "timingSafeEqual");
    syncBuiltinESMExports();
    for (const token of [WORKER, VIEWER, "x", WORKER.slice(1)]) {
      compare.mockClear();
      tokens.roleOf(token);
      const lengths = compare.mock.calls.map(([one, other]) => [one.byteLength, other.byteLength]);
      expect(lengths).toEqual([
        [32, 32],
        [32, 32],
      ]);
    }
  });

  it("is of the whole, for any lengths", () => {
    expect(isSameSecret("", "")).toBe(true);
    expect(isSameSecret(WORKER, WORKER)).toBe(true);
    expect(isSameSecret(WORKER, `${WORKER}0`)).toBe(false);
    expect(isSameSecret(WORKER, VIEWER)).toBe(false);
  });
});
