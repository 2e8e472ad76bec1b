/** Every way in which a certificate, a key or an authority can be of no use, in one line each. */
import { generateKeyPairSync } from "node:crypto";
import { chmodSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createCoordinatorClient, ServerTls } from "../src/index.js";
import { CredentialFiles } from "./support/credential-files.js";

const wallTimeMs = (): number => Date.now();
let files: CredentialFiles;

beforeEach(async () => {
  files = await CredentialFiles.create();
});

afterEach(() => files.remove());

function refusalOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toMatchObject({ name: "WireError", code: "credentialFile" });
    const { message } = error as Error;
    expect(message).not.toContain("\n");
    expect(message).not.toContain("PRIVATE KEY-----\n");
    return message.replaceAll(`${files.folder}/`, "");
  }
  throw new Error("it was taken");
}

function server(names: { cert?: string; key?: string; clientCa?: string }): ServerTls {
  const { cert = "own.pem", key = "own.key", clientCa } = names;
  const paths = { certificate: files.at(cert), key: files.at(key) };
  const tls = new ServerTls(
    clientCa === undefined ? paths : { ...paths, clientCa: files.at(clientCa) },
    { wallTimeMs, report: () => undefined },
  );
  tls.dispose();
  return tls;
}

describe("a server", () => {
  it("takes a certificate with its key, also a chain", async () => {
    await files.issue("own");
    const { certificate } = await files.authority.issue();
    expect(server({}).context.minVersion).toBe("TLSv1.3");
    files.write("chain.pem", `${await pem("own")}${certificate}`);
    expect(server({ cert: "chain.pem", clientCa: "ca.pem" }).context.ca).toContain("BEGIN");
  });

  it.each([
    ["a missing certificate", { cert: "none.pem" }, "certificate file none.pem: no such file"],
    ["a missing key", { key: "none.key" }, "key file none.key: no such file"],
    ["a missing authority", { clientCa: "none.pem" }, "CA file none.pem: no such file"],
    [
      "a key for a certificate",
      { cert: "own.key" },
      "certificate file own.key: it holds no PEM certificate (-----BEGIN CERTIFICATE-----)",
    ],
    [
      "a certificate for a key",
      { key: "own.pem" },
      "key file own.pem: it holds no PEM private key (-----BEGIN PRIVATE KEY-----)",
    ],
    [
      "the key of another",
      { key: "other.key" },
      "key file other.key: it is not the key of own.pem",
    ],
    ["an empty file", { cert: "empty" }, "certificate file empty: it is empty"],
    [
      "what only looks like a certificate",
      { cert: "broken.pem" },
      "certificate file broken.pem: it holds a certificate that cannot be read",
    ],
    [
      "an encrypted key",
      { key: "encrypted.key" },
      "key file encrypted.key: the key is encrypted, and nobody is asked for passphrases",
    ],
  ])("refuses %s", async (_, names, message) => {
    await files.issue("own");
    files.write("own.pem", await pem("own"), 0o600);
    await files.issue("other");
    files.write("empty", "\n");
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    files.write("broken.pem", broken);
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
    });
    files.write("encrypted.key", privateKey);
    expect(refusalOf(() => server(names))).toBe(message);
  });

  it("refuses a certificate or an authority whose time is over, or has not come", async () => {
    await files.issue("own", { days: -1 });
    expect(refusalOf(() => server({}))).toMatch(
      /^certificate file own\.pem: the certificate expired on \w{3} .* GMT$/,
    );
    await files.issue("own");
    const report = (): void => undefined;
    const paths = { certificate: files.at("own.pem"), key: files.at("own.key") };
    const early = { wallTimeMs: () => Date.now() - 20 * 86_400_000, report };
    expect(refusalOf(() => new ServerTls(paths, early))).toMatch(
      /^certificate file own\.pem: the certificate is valid from .* on only$/,
    );
    files.write("old-ca.pem", (await files.authority.issue({ days: -3 })).certificate);
    expect(refusalOf(() => server({ clientCa: "old-ca.pem" }))).toMatch(
      /^CA file old-ca\.pem: the certificate expired on /,
    );
  });

  it("refuses a key that others of the machine can read", async () => {
    await files.issue("own");
    chmodSync(files.at("own.key"), 0o644);
    expect(refusalOf(() => server({}))).toBe(
      "key file own.key: other users of this machine can read or change it; chmod o-rw it",
    );
  });
});

describe("a client", () => {
  const connect = (ca: string, own?: { certificate: string; key: string }) => () =>
    createCoordinatorClient("127.0.0.1:1", {
      security: { tls: { ca: files.at(ca), own }, wallTimeMs },
    });

  it("refuses the same", async () => {
    const own = await files.issue("own");
    const other = await files.issue("other");
    expect(refusalOf(connect("none.pem"))).toBe("CA file none.pem: no such file");
    expect(refusalOf(connect("ca.pem", { ...own, key: other.key }))).toBe(
      "key file other.key: it is not the key of own.pem",
    );
    connect("ca.pem", own)().close();
  });

  it("has no encryption over a Unix socket", () => {
    const security = { tls: { ca: files.at("ca.pem") }, wallTimeMs };
    expect(() => createCoordinatorClient("unix:/tmp/s", { security })).toThrow(
      expect.objectContaining({ code: "invalidAddress" }),
    );
  });
});

async function pem(name: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(files.at(`${name}.pem`), "utf8");
}
