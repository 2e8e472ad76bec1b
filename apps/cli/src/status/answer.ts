/** Asking a coordinator, and what it means if it does not answer. */

import { createCoordinatorClient, WireError } from "@ostinato/proto";
import type { ClientSecurity, StatusReply } from "@ostinato/proto";
import type { CoordinatorEndpoints, RunEnd } from "@ostinato/run";
import { openRunDirectory, readPointer } from "@ostinato/run";
import { FIXED_TIMEOUTS } from "@ostinato/runtime/timeouts";

import { canConnect } from "./reach.js";
import type { Target } from "./target.js";

/** What came of asking an address. */
export type Asked =
  | { readonly kind: "reply"; readonly reply: StatusReply }
  /** It took the connection and said nothing in time. */
  | { readonly kind: "silent"; readonly waitedMs: number }
  | { readonly kind: "unreachable"; readonly reason: string };

export type AskCoordinator = (address: string) => Promise<Asked>;

/** What is known of a run. */
export type Answer =
  | { readonly kind: "reply"; readonly reply: StatusReply }
  | {
      readonly kind: "silent";
      readonly address: string;
      readonly waitedMs: number;
      readonly endpoints: CoordinatorEndpoints | undefined;
    }
  | { readonly kind: "unreachable"; readonly reason: string }
  /** Of a run directory: its run came to its end. */
  | { readonly kind: "completed"; readonly runDirectory: string; readonly end: RunEnd }
  /** Of a run directory: nobody works in it. */
  | {
      readonly kind: "idle";
      readonly runDirectory: string;
      /** The coordinator that was killed there; undefined if the last one left in good order. */
      readonly killed: CoordinatorEndpoints | undefined;
      /** Why that one could not be asked; undefined: whoever answers there has another run. */
      readonly unreached: string | undefined;
      /** Step of the newest checkpoint. */
      readonly checkpointStep: number | undefined;
    };

/**
 * @param security what to show and ask for; unencrypted and without a token unless given
 * @param connects whether anybody takes a connection, of an address that did not answer
 * @throws {WireError} `invalidAddress`, `credentialFile`, and refusals of the coordinator that are no silence
 */
export async function askCoordinator(
  address: string,
  security?: ClientSecurity,
  connects = canConnect,
): Promise<Asked> {
  const { statusAnswerMs } = FIXED_TIMEOUTS;
  const client = createCoordinatorClient(address, { security });
  try {
    return { kind: "reply", reply: await client.status({ deadlineMs: statusAnswerMs }) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (error.code === "deadlineExceeded") {
      if (await connects(address, statusAnswerMs)) {
        return { kind: "silent", waitedMs: statusAnswerMs };
      }
      const reason = `no connection came about within ${statusAnswerMs / 1000} s`;
      return { kind: "unreachable", reason: `${address} is not reachable: ${reason}` };
    }
    if (error.code !== "unavailable") throw error;
    return { kind: "unreachable", reason: error.message };
  } finally {
    client.close();
  }
}

/** @throws {RunError} for a folder that holds no run */
export async function askTarget(target: Target, ask: AskCoordinator): Promise<Answer> {
  if (target.kind === "address") {
    const { address } = target;
    const asked = await ask(address);
    return asked.kind === "silent" ? { ...asked, address, endpoints: undefined } : asked;
  }
  const { runDirectory, endpoints } = target;
  let unreached: string | undefined;
  if (endpoints !== undefined) {
    const { address, job } = endpoints;
    const asked = await ask(address);
    if (asked.kind === "silent") return { ...asked, address, endpoints };
    // Another run's coordinator may have the address by now.
    if (asked.kind === "reply" && asked.reply.jobId === job) return asked;
    if (asked.kind === "unreachable") unreached = asked.reason;
  }
  const run = await openRunDirectory(runDirectory);
  const end = await run.readEnd();
  if (end !== undefined) return { kind: "completed", runDirectory, end };
  const latest = await readPointer(run, "latest").catch(() => undefined);
  const checkpointStep = latest?.step;
  return { kind: "idle", runDirectory, killed: endpoints, unreached, checkpointStep };
}
