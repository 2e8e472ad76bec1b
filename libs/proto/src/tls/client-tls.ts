import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext } from "node:tls";
import type { ChannelOptions } from "@grpc/grpc-js";
import { ChannelCredentials } from "@grpc/grpc-js";

import { onOneLine, WireError } from "../errors/index.js";
import { readAuthorities, readCertificateAndKey } from "./certificates.js";

/** Paths of PEM files. */
export interface ClientTlsFiles {
  /** Authorities that the server's certificate must be of. */
  readonly ca: string;
  /** The client's own, for a server that asks for it. */
  readonly own?: { readonly certificate: string; readonly key: string } | undefined;
}

/** An IP address is no server name (RFC 6066): a name that nobody looks at is sent in its place. */
const NAME_FOR_ADDRESSES = "coordinator.invalid";

/**
 * What a client connects with. Files are read now: a client that is made after they changed has what is new.
 *
 * @param host name or IP address that the server's certificate must be for
 * @param nowMs time of the wall clock
 * @throws {WireError} `credentialFile`, naming the file and what is wrong with it
 */
export function clientTls(
  files: ClientTlsFiles,
  host: string,
  nowMs: number,
): { readonly credentials: ChannelCredentials; readonly options: ChannelOptions } {
  const { ca, own } = files;
  const authorities = readAuthorities(ca, nowMs);
  const pair = own === undefined ? undefined : readCertificateAndKey(own, nowMs);
  try {
    const context = createSecureContext({
      ca: authorities,
      ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }),
      minVersion: "TLSv1.3",
    });
    const credentials = ChannelCredentials.createFromSecureContext(context, {
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
      // Said, so that no variable of the environment turns it off.
      rejectUnauthorized: true,
    });
    const options = isIP(host) === 0 ? {} : { "grpc.ssl_target_name_override": NAME_FOR_ADDRESSES };
    return { credentials, options };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WireError("credentialFile", onOneLine(`certificates cannot be used: ${reason}`), {
      cause: error,
    });
  }
}
