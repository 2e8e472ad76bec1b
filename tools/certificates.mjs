/**
 * Certificates for tests: an authority, and what it vouches for. Keys are made anew each time; nothing of it
 * is good for anything else.
 */
// @peculiar/x509 needs it to be there first.
import "reflect-metadata";
import { Buffer } from "node:buffer";
import { webcrypto } from "node:crypto";

import {
  BasicConstraintsExtension,
  cryptoProvider,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

cryptoProvider.set(webcrypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** @type {import("./certificates.d.mts").createAuthority} */
export async function createAuthority(name = "test authority") {
  const keys = await generateKeys();
  const subject = `CN=${name}`;
  const certificate = await X509CertificateGenerator.create({
    ...validity({ days: 30, sinceDays: 30 }),
    subject,
    issuer: subject,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    certificate: `${certificate.toString("pem")}\n`,
    issue: async (options = {}) => {
      const own = await generateKeys();
      const issued = await X509CertificateGenerator.create({
        ...validity(options),
        subject: `CN=${options.name ?? "localhost"}`,
        issuer: subject,
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new SubjectAlternativeNameExtension([
            { type: "dns", value: options.name ?? "localhost" },
            { type: "ip", value: "127.0.0.1" },
          ]),
        ],
      });
      return { certificate: `${issued.toString("pem")}\n`, key: await pemOf(own.privateKey) };
    },
  };
}

function generateKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

/** For so many days from now; a negative number: it ended so many days ago, after `sinceDays` days. */
function validity({ days = 30, sinceDays = 1 }) {
  const now = Date.now();
  return {
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)).fill(1, 0, 1)).toString(
      "hex",
    ),
    notBefore: new Date(now + (Math.min(0, days) - sinceDays) * DAY_MS),
    notAfter: new Date(now + days * DAY_MS),
  };
}

async function pemOf(privateKey) {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
}
