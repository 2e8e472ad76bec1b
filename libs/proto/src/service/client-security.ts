import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { credentials as grpcCredentials } from "@grpc/grpc-js";

import { readOwnToken } from "../access/index.js";
import type { Endpoint } from "../channel/index.js";
import { formatEndpoint, isLocal } from "../channel/index.js";
import { WireError } from "../errors/index.js";
import type { ClientTlsFiles } from "../tls/index.js";
import { clientTls } from "../tls/index.js";

/** What a client shows and asks for. */
export interface ClientSecurity {
  /** The connection is encrypted, and the coordinator's certificate checked; undefined: neither. */
  readonly tls?: ClientTlsFiles | undefined;
  /** File of the one token to show; undefined: none is. */
  readonly tokenFile?: string | undefined;
  /** Lets the token go to another machine unencrypted; false unless given. */
  readonly insecure?: boolean;
  /** Time of the wall clock, in milliseconds: when a certificate has expired. */
  readonly wallTimeMs: () => number;
}

/**
 * Reads the files of a client's security, as they are at this moment.
 *
 * @throws {WireError} `credentialFile` a file that cannot be used; `invalidAddress` encryption over a Unix socket;
 *   `notLoopback` a token that everybody on its way could read
 */
export function openClientSecurity(
  endpoint: Endpoint,
  security: ClientSecurity | undefined,
): {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
  readonly token: string | undefined;
} {
  const { tls, tokenFile, insecure = false } = security ?? {};
  if (tls === undefined && tokenFile !== undefined && !isLocal(endpoint) && !insecure) {
    throw new WireError(
      "notLoopback",
      `the token would go to ${formatEndpoint(endpoint)} unencrypted; give --tls-ca, or say --insecure`,
    );
  }
  const token = tokenFile === undefined ? undefined : readOwnToken(tokenFile);
  if (security === undefined || tls === undefined) {
    return { credentials: grpcCredentials.createInsecure(), options: {}, token };
  }
  if (endpoint.kind === "unix") {
    throw new WireError(
      "invalidAddress",
      `${formatEndpoint(endpoint)} is never encrypted: it does not leave this machine; leave --tls-ca out`,
    );
  }
  return { ...clientTls(tls, endpoint.host, security.wallTimeMs()), token };
}
