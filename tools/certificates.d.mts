export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** PEM, not encrypted. */
  readonly key: string;
}

export interface Authority {
  /** PEM, self-signed. */
  readonly certificate: string;
  /** For `name` (localhost unless given) and 127.0.0.1, for so many days from now; negative: it has ended. */
  issue(options?: { readonly name?: string; readonly days?: number }): Promise<Issued>;
}

/** Vouches for certificates of tests. */
export function createAuthority(name?: string): Promise<Authority>;
