/** Options of encryption and tokens, for the commands that listen and for those that connect. */

import type { Command } from "commander";

export interface ServerSecurityOptions {
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsClientCa: string | undefined;
  readonly tokenFile: string | undefined;
}

export interface ClientSecurityOptions {
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tokenFile: string | undefined;
}

/** For a command that listens. */
export function addServerSecurity(command: Command): Command {
  return command
    .option("--tls-cert <file>", "encrypt with this certificate (PEM, chain included)")
    .option("--tls-key <file>", "the certificate's key")
    .option("--tls-client-ca <file>", "let in only clients with a certificate of this authority")
    .option("--token-file <file>", "tokens to let in, one a line: worker TOKEN or viewer TOKEN");
}

/** For a command that connects to a coordinator. */
export function addClientSecurity(command: Command): Command {
  return command
    .option("--tls-ca <file>", "encrypt, and trust coordinators of this authority")
    .option("--tls-cert <file>", "own certificate, for a coordinator that asks for one")
    .option("--tls-key <file>", "the certificate's key")
    .option("--token-file <file>", "the token to show");
}

/** What of given options is about security; `undefined` for each that was not given. */
export function serverSecurityOptions(
  given: Partial<ServerSecurityOptions>,
): ServerSecurityOptions {
  const { tlsCert, tlsKey, tlsClientCa, tokenFile } = given;
  return { tlsCert, tlsKey, tlsClientCa, tokenFile };
}

/** The same, of a command that connects. */
export function clientSecurityOptions(
  given: Partial<ClientSecurityOptions>,
): ClientSecurityOptions {
  const { tlsCa, tlsCert, tlsKey, tokenFile } = given;
  return { tlsCa, tlsCert, tlsKey, tokenFile };
}
