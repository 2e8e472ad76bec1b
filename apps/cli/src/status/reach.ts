/** Whether anybody is there at all: who takes a connection and says nothing is another case. */

import { connect } from "node:net";
import { parseEndpoint } from "@ostinato/proto";

/**
 * Whether a connection comes about within `timeoutMs`; it is closed at once.
 *
 * For a process that stands still its kernel takes it; for a host that is down or behind a filter nobody does.
 *
 * @throws {WireError} `invalidAddress`
 */
export async function canConnect(address: string, timeoutMs: number): Promise<boolean> {
  const endpoint = parseEndpoint(address);
  return new Promise((resolve) => {
    const socket = connect(endpoint);
    socket.setTimeout(timeoutMs, () => {
      socket.destroy();
    });
    // What follows each of these is `close`; only the first answer counts.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      resolve(false);
    });
    socket.once("connect", () => {
      resolve(true);
      socket.destroy();
    });
  });
}
