import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { ClientSecurity } from "@ostinato/proto";

import type { Authority } from "../../../tools/certificates.mjs";
import { createAuthority } from "../../../tools/certificates.mjs";

export const WORKER_TOKEN = "worker-token-".padEnd(32, "w");
export const VIEWER_TOKEN = "viewer-token-".padEnd(32, "v");

/** Certificates and tokens of one cluster, in a folder. */
export class Credentials {
  readonly folder: string;
  readonly #authority: Authority;

  private constructor(folder: string, authority: Authority) {
    this.folder = folder;
    this.#authority = authority;
  }

  /** With `ca.pem`, `server`, `client` and `tokens`, `worker-token`, `viewer-token`. */
  static async create(folder: string): Promise<Credentials> {
    await mkdir(folder, { recursive: true });
    const credentials = new Credentials(folder, await createAuthority());
    await credentials.write("ca.pem", credentials.#authority.certificate);
    await credentials.issue("server");
    await credentials.issue("client");
    await credentials.write("tokens", `worker ${WORKER_TOKEN}\nviewer ${VIEWER_TOKEN}\n`);
    await credentials.write("worker-token", WORKER_TOKEN);
    await credentials.write("viewer-token", VIEWER_TOKEN);
    return credentials;
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  /** Puts a whole file in the place of the one before, as those who renew certificates do. */
  async write(name: string, text: string, mode = 0o600): Promise<string> {
    const path = this.at(name);
    await writeFile(`${path}.new`, text);
    await chmod(`${path}.new`, mode);
    await rename(`${path}.new`, path);
    return path;
  }

  /** NAME.pem and NAME.key. */
  async issue(name: string, days = 30): Promise<void> {
    const { certificate, key } = await this.#authority.issue({ days });
    await this.write(`${name}.key`, key);
    await this.write(`${name}.pem`, certificate);
  }

  /** A coordinator that is encrypted, knows the tokens and asks for certificates. */
  get serverFlags(): readonly string[] {
    return [
      ...["--tls-cert", this.at("server.pem"), "--tls-key", this.at("server.key")],
      ...["--tls-client-ca", this.at("ca.pem"), "--token-file", this.at("tokens")],
    ];
  }

  /** A worker of its. */
  get workerFlags(): readonly string[] {
    return [...this.tlsFlags, "--token-file", this.at("worker-token")];
  }

  get tlsFlags(): readonly string[] {
    return [
      ...["--tls-ca", this.at("ca.pem")],
      ...["--tls-cert", this.at("client.pem"), "--tls-key", this.at("client.key")],
    ];
  }

  /** One who looks at it. */
  get viewer(): ClientSecurity {
    return {
      tls: {
        ca: this.at("ca.pem"),
        own: { certificate: this.at("client.pem"), key: this.at("client.key") },
      },
      tokenFile: this.at("viewer-token"),
      wallTimeMs: () => Date.now(),
    };
  }
}
