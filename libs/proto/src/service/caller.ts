/** Who is at the other end of a call. */
export interface Caller {
  /** Such as `127.0.0.1:50412`. */
  readonly peer: string;
  /** The same without the port, by which bounds are kept; empty over a Unix socket. */
  readonly address: string;
  /** SHA-256 of the certificate that it was let in with, in hex; empty where none is asked for. */
  readonly certificate: string;
}

/** What a call tells of its other end. */
export function callerOf(call: {
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly fingerprint256: string } };
}): Caller {
  const peer = call.getPeer();
  return {
    // The end of a Unix socket has no address.
    peer: peer === "unknown" ? "a process of this machine" : peer,
    address: peer === "unknown" ? "" : peer.replace(/:\d+$/, ""),
    certificate: call.getAuthContext().sslPeerCertificate?.fingerprint256 ?? "",
  };
}
