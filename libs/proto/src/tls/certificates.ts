import type { KeyObject } from "node:crypto";
import { createPrivateKey, X509Certificate } from "node:crypto";

import { onOneLine, WireError } from "../errors/index.js";
import { readCredentialFile } from "../secret-files/index.js";

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export interface CertificateAndKey {
  /** PEM: the certificate, and those between it and the authority, if any. */
  readonly certificate: string;
  /** PEM, not encrypted. */
  readonly key: string;
}

/**
 * A certificate and the key that belongs to it.
 *
 * @param nowMs time of the wall clock, which must be within the certificate's validity
 * @throws {WireError} `credentialFile`, naming the file and what is wrong with it
 */
export function readCertificateAndKey(
  files: { readonly certificate: string; readonly key: string },
  nowMs: number,
): CertificateAndKey {
  const { text: certificate, certificates } = readCertificates(files.certificate, "certificate");
  const [own] = certificates;
  checkValidity(own, files.certificate, "certificate", nowMs);
  const key = readCredentialFile(files.key, { what: "key file", isSecret: true });
  if (!own.checkPrivateKey(parseKey(key, files.key))) {
    throw problem("key file", files.key, `it is not the key of ${files.certificate}`);
  }
  return { certificate, key };
}

/**
 * The authorities whose certificates are trusted.
 *
 * @param nowMs time of the wall clock, at which at least one of them must be valid
 * @throws {WireError} `credentialFile`, naming the file and what is wrong with it
 */
export function readAuthorities(path: string, nowMs: number): string {
  const { text, certificates } = readCertificates(path, "CA");
  const isValid = (each: X509Certificate): boolean => validityProblem(each, nowMs) === undefined;
  if (!certificates.some(isValid)) checkValidity(certificates[0], path, "CA", nowMs);
  return text;
}

function readCertificates(
  path: string,
  kind: "certificate" | "CA",
): { readonly text: string; readonly certificates: [X509Certificate, ...X509Certificate[]] } {
  const what = `${kind} file`;
  const text = readCredentialFile(path, { what });
  try {
    const [first, ...others] = (text.match(BLOCK) ?? []).map((pem) => new X509Certificate(pem));
    if (first !== undefined) return { text, certificates: [first, ...others] };
  } catch (error) {
    throw problem(what, path, "it holds a certificate that cannot be read", error);
  }
  throw problem(what, path, "it holds no PEM certificate (-----BEGIN CERTIFICATE-----)");
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = pem.includes("ENCRYPTED");
    throw problem(
      "key file",
      path,
      isEncrypted ? "the key is encrypted, and nobody is asked for passphrases" : NO_KEY,
      error,
    );
  }
}

const NO_KEY = "it holds no PEM private key (-----BEGIN PRIVATE KEY-----)";

function checkValidity(
  certificate: X509Certificate,
  path: string,
  kind: "certificate" | "CA",
  nowMs: number,
): void {
  const found = validityProblem(certificate, nowMs);
  if (found !== undefined) throw problem(`${kind} file`, path, found);
}

function validityProblem(certificate: X509Certificate, nowMs: number): string | undefined {
  const { validFrom, validTo } = certificate;
  if (nowMs > instantOf(validTo)) return `the certificate expired on ${validTo}`;
  if (nowMs < instantOf(validFrom)) return `the certificate is valid from ${validFrom} on only`;
  return undefined;
}

/** Of OpenSSL's `Nov 30 11:49:18 2026 GMT`, in milliseconds; Node 20 has no other form of it. */
function instantOf(text: string): number {
  // eslint-disable-next-line no-restricted-globals -- reads a text, and takes no time from anywhere
  return Date.parse(text);
}

function problem(what: string, path: string, text: string, cause?: unknown): WireError {
  return new WireError("credentialFile", onOneLine(`${what} ${path}: ${text}`), { cause });
}
