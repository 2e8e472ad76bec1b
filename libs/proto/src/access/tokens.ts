import { timingSafeEqual } from "node:crypto";

import { onOneLine, WireError } from "../errors/index.js";
import { readCredentialFile } from "../secret-files/index.js";
import { digestOfSecret } from "./secrets.js";

/**
 * - `worker` takes part in the run, and may look at it
 * - `viewer` may look at the run
 */
export type Role = "worker" | "viewer";

export interface Token {
  readonly role: Role;
  readonly token: string;
}

/** Sixteen characters of a random alphabet cannot be guessed at the rate that a server answers. */
const MIN_LENGTH = 16;
const MAX_LENGTH = 512;
/** Each call is compared with all of them. */
const MAX_TOKENS = 64;

const LINE = /^(?:(?<role>worker|viewer)\s+)?(?<token>[!-~]+)$/;
const NAMING = { what: "token file", isSecret: true } as const;

/** The tokens that a server knows, as digests alone. */
export class Tokens {
  readonly #known: readonly { readonly role: Role; readonly digest: Buffer }[];

  constructor(tokens: readonly Token[]) {
    this.#known = tokens.map(({ role, token }) => ({ role, digest: digestOfSecret(token) }));
  }

  /** The role of a token, undefined if it is none of ours; takes as long for one as for the other. */
  roleOf(token: string): Role | undefined {
    const digest = digestOfSecret(token);
    let found: Role | undefined;
    // To the end, also when it is found.
    for (const known of this.#known) {
      if (timingSafeEqual(known.digest, digest)) found = known.role;
    }
    return found;
  }
}

/**
 * Reads a file of tokens, one a line, its role before it: `worker 3f9a…`; without a role it is a worker's. Empty
 * lines and those that begin with `#` are skipped.
 *
 * @throws {WireError} `credentialFile`, naming the file, the line and what is wrong; never the token
 */
export function readTokenFile(path: string): readonly Token[] {
  const problem = (text: string): WireError =>
    new WireError("credentialFile", onOneLine(`token file ${path}: ${text}`));
  const tokens: Token[] = [];
  for (const [index, line] of readCredentialFile(path, NAMING).split("\n").entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const { role = "worker", token } = LINE.exec(text)?.groups ?? {};
    const at = `line ${index + 1}`;
    if (token === undefined) {
      throw problem(`${at} is not of the form TOKEN, worker TOKEN or viewer TOKEN`);
    }
    if (token.length < MIN_LENGTH || token.length > MAX_LENGTH) {
      throw problem(
        `${at}: the token has ${token.length} characters; it must have ${MIN_LENGTH} to ${MAX_LENGTH}`,
      );
    }
    if (tokens.some((other) => other.token === token)) throw problem(`${at} repeats a token`);
    tokens.push({ role: role as Role, token });
  }
  if (tokens.length === 0) throw problem("it holds no token");
  if (tokens.length > MAX_TOKENS) {
    throw problem(`it holds ${tokens.length} tokens; at most ${MAX_TOKENS} are taken`);
  }
  return tokens;
}

/**
 * The one token that a client shows.
 *
 * @throws {WireError} `credentialFile`, naming the file and what is wrong with it
 */
export function readOwnToken(path: string): string {
  const [own, ...others] = readTokenFile(path);
  if (own === undefined || others.length > 0) {
    throw new WireError(
      "credentialFile",
      onOneLine(`token file ${path}: it holds ${others.length + 1} tokens; a client has one`),
    );
  }
  return own.token;
}
