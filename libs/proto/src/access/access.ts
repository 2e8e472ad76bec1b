import { COORDINATOR_SERVICE } from "../service-name.js";
import { WireError } from "../errors/index.js";
import type { Role, Tokens } from "./tokens.js";

/** What each role may call, beside the health service, which tells no more than that somebody listens. */
const CALLS: Readonly<Record<Role, readonly string[]>> = {
  worker: ["Join", "Train", "FetchData", "Status", "Watch"],
  viewer: ["Status", "Watch"],
};

const HEALTH = "/grpc.health.v1.Health/";
const HEALTH_CALLS: readonly string[] = ["Check", "List", "Watch"];
const SCHEME = /^Bearer (?<token>[!-~]+)$/i;

/**
 * Why a call is refused, undefined if it may go on.
 *
 * @param path such as `/ostinato.v1.Coordinator/Join`
 * @param authorization `Bearer` and a token, as the caller sent it
 */
export function accessProblem(
  tokens: Tokens,
  path: string,
  authorization: string | undefined,
): WireError | undefined {
  if (isHealthCall(path)) return undefined;
  const role = roleOf(tokens, authorization);
  if (role === undefined) {
    const what = authorization === undefined ? "no token was shown" : "the token is not known here";
    return new WireError("unauthenticated", `${what}; --token-file takes one of the coordinator's`);
  }
  const prefix = `/${COORDINATOR_SERVICE}/`;
  const call = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  if (CALLS[role].includes(call)) return undefined;
  return new WireError("forbidden", `a ${role}'s token may not call ${call}`);
}

/** Whether a path is of the health service, which everybody may call. */
export function isHealthCall(path: string): boolean {
  return path.startsWith(HEALTH);
}

/** Whether there is such a call at all. */
export function isKnownCall(path: string): boolean {
  const [calls, prefix] = isHealthCall(path)
    ? [HEALTH_CALLS, HEALTH]
    : [CALLS.worker, `/${COORDINATOR_SERVICE}/`];
  return path.startsWith(prefix) && calls.includes(path.slice(prefix.length));
}

/** The role that an `Authorization` header stands for, undefined for none. */
export function roleOf(tokens: Tokens, authorization: string | undefined): Role | undefined {
  const token = SCHEME.exec(authorization ?? "")?.groups?.["token"];
  return token === undefined ? undefined : tokens.roleOf(token);
}

/** The header that shows a token. */
export function authorizationOf(token: string): string {
  return `Bearer ${token}`;
}
