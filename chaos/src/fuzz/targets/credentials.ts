/** Files that say who may take part: tokens, certificates, keys. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTokenFile, roleOf, ServerTls, Tokens, WireError } from "@ostinato/proto";
import { createAuthority } from "../../../../tools/certificates.mjs";
import { parserTarget, requireThat, textOf } from "../fuzz-target.js";
import type { FuzzTarget } from "../fuzz-target.js";
import type { TargetTable } from "./table.js";

const refusals = [WireError];
const TOKEN = "3f9a51c6e2b74d08";

function tokenFile(folder: string): FuzzTarget {
  const path = join(folder, "tokens");
  return parserTarget({
    ...{ name: "tokenFile", words: ["worker ", "viewer ", "#", "\n", "\r\n", TOKEN], refusals },
    cost: 10,
    seeds: [`worker ${TOKEN}\nviewer ${TOKEN}v\n`, `# of the team\n\n${TOKEN}\n`],
    parse: (input) => {
      writeFileSync(path, input, { mode: 0o600 });
      return readTokenFile(path);
    },
    check: (read) => {
      const tokens = new Tokens(read);
      requireThat(
        read.every(({ role, token }) => roleOf(tokens, `Bearer ${token}`) === role),
        () => "a token that is in the file is not known",
      );
    },
  });
}

/** The header by which a caller shows a token. */
function authorization(): FuzzTarget {
  const tokens = new Tokens([{ role: "worker", token: TOKEN }]);
  return parserTarget({
    ...{ name: "authorization", words: ["Bearer ", "bearer", TOKEN, " "], refusals },
    seeds: [`Bearer ${TOKEN}`, "Bearer ", `Basic ${TOKEN}`],
    parse: textOf,
    check: (header) => {
      const isOurs = header.toLowerCase().startsWith("bearer ") && header.slice(7) === TOKEN;
      const expected = isOurs ? "worker" : undefined;
      requireThat(roleOf(tokens, header) === expected, () => "a role for nothing, or none");
    },
  });
}

const PEM_WORDS = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "PRIVATE KEY", "\n"];
/** Around a block anything may stand, as OpenSSL itself writes it there. */
const NOTES = "Bag Attributes\n    friendlyName: of tests\nsubject=CN = localhost\n".repeat(8);

/** One of the files of a server with TLS is of any content, the others are right. */
function pemFile(name: "certificateFile" | "keyFile" | "authoritiesFile") {
  return async (folder: string): Promise<FuzzTarget> => {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    const authority = await createAuthority();
    const { certificate, key } = await authority.issue();
    const right = {
      certificateFile: certificate,
      keyFile: key,
      authoritiesFile: authority.certificate,
    };
    const at = (file: keyof typeof right): string => join(own, file);
    for (const file of Object.keys(right) as (keyof typeof right)[]) {
      writeFileSync(at(file), right[file], { mode: 0o600 });
    }
    return parserTarget({
      ...{ name, words: PEM_WORDS, refusals },
      cost: 20,
      seeds: [right[name], `${right[name]}${right[name]}`, `${NOTES}${right[name]}${NOTES}`],
      parse: (input) => {
        writeFileSync(at(name), input);
        const tls = new ServerTls(
          {
            certificate: at("certificateFile"),
            key: at("keyFile"),
            clientCa: at("authoritiesFile"),
          },
          { wallTimeMs: Date.now, report: () => undefined },
        );
        tls.dispose();
        return tls.context;
      },
      check: (context) => {
        requireThat(context.minVersion === "TLSv1.3", () => "an older TLS than 1.3");
      },
    });
  };
}

export const CREDENTIAL_TARGETS = {
  tokenFile,
  authorization,
  certificateFile: pemFile("certificateFile"),
  keyFile: pemFile("keyFile"),
  authoritiesFile: pemFile("authoritiesFile"),
} as const satisfies TargetTable;
