/**
 * What stands before a server: tokens, and bounds on what one peer may have and do.
 *
 * @example
 * const guard = createServerGuard({ clock, tokens: () => files?.value, onRefused });
 * const server = createServer({ deadlineMs, guard });
 */
export type { Refusal, ServerGuard, ServerGuardOptions } from "./server-guard.js";
export { createServerGuard, REFUSAL_REASONS } from "./server-guard.js";
export type { Rate } from "./token-bucket.js";
export { TokenBucket } from "./token-bucket.js";
export type { GuardClock } from "./unfinished-request.js";
