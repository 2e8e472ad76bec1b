/** Options of encryption and tokens, as servers and clients take them. */

import type { SecurityFiles } from "@ostinato/coordinator";
import type { ClientSecurity } from "@ostinato/proto";
import { systemClock } from "@ostinato/runtime";

import type { ClientSecurityOptions, ServerSecurityOptions } from "../../command-line/index.js";
import { CliError } from "../../errors/index.js";

/**
 * What a coordinator is protected with.
 *
 * @throws CliError 'usage' where one option needs another
 */
export function serverSecurity(options: ServerSecurityOptions): SecurityFiles {
  const { tlsClientCa, tokenFile } = options;
  const pair = certificateAndKey(options);
  if (pair === undefined) {
    if (tlsClientCa !== undefined) throw needs("--tls-client-ca", "--tls-cert and --tls-key");
    return { tokenFile };
  }
  return { tls: { ...pair, clientCa: tlsClientCa }, tokenFile };
}

/**
 * What a client of a coordinator shows and asks for.
 *
 * @throws CliError 'usage' where one option needs another
 */
export function clientSecurity(
  options: ClientSecurityOptions & { readonly insecure?: boolean },
): ClientSecurity {
  const { tlsCa, tokenFile, insecure = false } = options;
  const own = certificateAndKey(options);
  if (tlsCa === undefined && own !== undefined) throw needs("--tls-cert", "--tls-ca");
  const tls = tlsCa === undefined ? undefined : { ca: tlsCa, own };
  return { tls, tokenFile, insecure, wallTimeMs: () => systemClock.wallTime().getTime() };
}

function certificateAndKey(options: {
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}): { readonly certificate: string; readonly key: string } | undefined {
  const { tlsCert: certificate, tlsKey: key } = options;
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate !== undefined) throw needs("--tls-cert", "--tls-key");
  if (key !== undefined) throw needs("--tls-key", "--tls-cert");
  return undefined;
}

function needs(option: string, other: string): CliError {
  return new CliError("usage", `${option} needs ${other} as well`);
}
