import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Authority } from "../../../../tools/certificates.mjs";
import { createAuthority } from "../../../../tools/certificates.mjs";

/** A folder of certificates, keys and tokens. */
export class CredentialFiles {
  readonly folder = mkdtempSync(join(tmpdir(), "ostinato-credentials-"));
  readonly authority: Authority;

  private constructor(authority: Authority) {
    this.authority = authority;
  }

  /** With an authority, in `ca.pem`. */
  static async create(): Promise<CredentialFiles> {
    const files = new CredentialFiles(await createAuthority());
    files.write("ca.pem", files.authority.certificate);
    return files;
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string, mode = 0o600): string {
    writeFileSync(this.at(name), text, { mode });
    chmodSync(this.at(name), mode);
    return this.at(name);
  }

  /** Writes NAME.pem and NAME.key. */
  async issue(
    name: string,
    options: { readonly name?: string; readonly days?: number; readonly by?: Authority } = {},
  ): Promise<{ readonly certificate: string; readonly key: string }> {
    const { by = this.authority, ...rest } = options;
    const { certificate, key } = await by.issue(rest);
    return {
      certificate: this.write(`${name}.pem`, certificate, 0o644),
      key: this.write(`${name}.key`, key),
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
