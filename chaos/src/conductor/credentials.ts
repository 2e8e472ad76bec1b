/** Certificates of a schedule that is encrypted: one authority, and a certificate for each of its processes. */

import type { ClientSecurity, ServerTlsFiles } from "@ostinato/proto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "../../../tools/certificates.mjs";

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

export class Credentials {
  readonly #folder: string;
  readonly #ca: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#ca = join(folder, "ca.pem");
  }

  /** @param names of those who have a certificate of their own, besides the servers */
  static async create(folder: string, names: readonly string[]): Promise<Credentials> {
    mkdirSync(folder, { recursive: true });
    const credentials = new Credentials(folder);
    const authority = await createAuthority();
    writeFileSync(credentials.#ca, authority.certificate);
    for (const name of ["server", ...names]) {
      const issued = await authority.issue();
      const { certificate, key } = credentials.#pair(name);
      writeFileSync(certificate, issued.certificate);
      writeFileSync(key, issued.key, { mode: 0o600 });
    }
    return credentials;
  }

  /** Of the coordinator, and of the ways that stand before it. */
  get server(): ServerTlsFiles {
    return { ...this.#pair("server"), clientCa: this.#ca };
  }

  get coordinatorFlags(): readonly string[] {
    const { certificate, key } = this.#pair("server");
    return ["--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", this.#ca];
  }

  workerFlags(name: string): readonly string[] {
    const { certificate, key } = this.#pair(name);
    return ["--tls-ca", this.#ca, "--tls-cert", certificate, "--tls-key", key];
  }

  /** Of whoever asks the coordinator in this name. */
  client(name: string): ClientSecurity {
    return { tls: { ca: this.#ca, own: this.#pair(name) }, wallTimeMs: () => Date.now() };
  }

  #pair(name: string): Pair {
    return {
      certificate: join(this.#folder, `${name}.pem`),
      key: join(this.#folder, `${name}.key`),
    };
  }
}
