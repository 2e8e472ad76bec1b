import { isLoopback, parseAddress } from "@ostinato/proto";
import type { Facts } from "../facts.js";

/** Without TLS and tokens nobody on another machine can reach the coordinator. */
export function listeners({ events }: Facts): readonly string[] {
  const seen = new Set(
    events.flatMap((event) => (event.kind === "reading" ? event.resources.listensAt : [])),
  );
  if (seen.size === 0) return ["nobody saw where the coordinator listens"];
  return [...seen]
    .filter((address) => !isLoopback(parseAddress(address).host))
    .map((address) => `the coordinator listens at ${address}, which nobody told it to`);
}
