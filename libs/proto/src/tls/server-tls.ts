import type { SecureContextOptions } from "node:tls";
import { createSecureContext } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";

import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";

import { onOneLine, WireError } from "../errors/index.js";
import { WatchedFiles } from "../secret-files/index.js";
import { readAuthorities, readCertificateAndKey } from "./certificates.js";

/** Paths of PEM files. */
export interface ServerTlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Authorities of the clients; with it a client without a certificate of theirs is not connected. */
  readonly clientCa?: string | undefined;
}

export interface ServerTlsModules {
  /** Time of the wall clock, in milliseconds. */
  readonly wallTimeMs: () => number;
  /** Told, in one line, of a change that is taken or not. */
  readonly report: (level: "info" | "warn", text: string) => void;
}

/** Nothing that connects to this server speaks an older one. */
const MIN_VERSION = "TLSv1.3";

/**
 * What a server is encrypted with, read again when its files change. New connections get what is new; those that
 * are open go on as they are. Files that cannot be used change nothing, and are reported.
 */
export class ServerTls {
  readonly #files: WatchedFiles<SecureContextOptions>;
  readonly #requiresCertificates: boolean;
  readonly #listeners: ((context: SecureContextOptions) => void)[] = [];

  /** @throws {WireError} `credentialFile`, naming the file and what is wrong with it */
  constructor(files: ServerTlsFiles, { wallTimeMs, report }: ServerTlsModules) {
    const { certificate, key, clientCa } = files;
    this.#requiresCertificates = clientCa !== undefined;
    this.#files = new WatchedFiles({
      paths: [certificate, key, ...(clientCa === undefined ? [] : [clientCa])],
      read: () => readContext(files, wallTimeMs()),
      onReloaded: (context) => {
        for (const listener of this.#listeners) listener(context);
        report("info", `${certificate} was read again; new connections get it`);
      },
      onRefused: (reason) => {
        report("warn", `${reason}; new connections still get what was read before`);
      },
    });
  }

  /** For the service: also asks for certificates of clients where there are authorities of theirs. */
  credentials(): ServerCredentials {
    return new ReloadableCredentials(this, this.#requiresCertificates);
  }

  /** For a server of another kind; whether clients are asked for a certificate is up to that server. */
  get context(): SecureContextOptions {
    return this.#files.value;
  }

  /** Called with each context that follows. */
  onReloaded(listener: (context: SecureContextOptions) => void): void {
    this.#listeners.push(listener);
  }

  /** The files are not watched any more. */
  dispose(): void {
    this.#files.dispose();
  }
}

function readContext(files: ServerTlsFiles, nowMs: number): SecureContextOptions {
  const { certificate: cert, key } = readCertificateAndKey(files, nowMs);
  const { clientCa } = files;
  const ca = clientCa === undefined ? {} : { ca: readAuthorities(clientCa, nowMs) };
  const context = { cert, key, ...ca, minVersion: MIN_VERSION } as const;
  try {
    // What OpenSSL does not take, such as a key too short for its level, is found here and not in a handshake.
    createSecureContext(context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WireError(
      "credentialFile",
      onOneLine(`certificate file ${files.certificate}: ${reason}`),
      { cause: error },
    );
  }
  return context;
}

/** grpc-js' own credentials read files as they are, and drop connections while those cannot be used. */
class ReloadableCredentials extends ServerCredentials {
  constructor(tls: ServerTls, requiresCertificates: boolean) {
    super(
      {
        requestCert: requiresCertificates,
        rejectUnauthorized: requiresCertificates,
        handshakeTimeout: FIXED_TIMEOUTS.tlsHandshakeMs,
      },
      tls.context,
    );
    tls.onReloaded((context) => {
      this.updateSecureContextOptions(context);
    });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
