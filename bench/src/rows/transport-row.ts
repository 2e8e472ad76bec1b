import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { NUM_VALUES, QUICK_NUM_VALUES, TransportSide, VALUE_BYTES } from "../transport/index.js";
import { compare } from "./context.js";
import type { RowContext } from "./context.js";

const BAR = 0.8;

/** Parameters down and a gradient up: the protocol, and what grpc-js and a socket do at best. */
export async function transportRow(context: RowContext): Promise<void> {
  const numValues = context.isQuick ? QUICK_NUM_VALUES : NUM_VALUES;
  mkdirSync(context.folder, { recursive: true });
  const megabytes = (2 * numValues * VALUE_BYTES) / 1e6;
  const tcp = "127.0.0.1:0";
  const unixSocketOf = (side: string): string => `unix:${join(context.folder, `${side}.sock`)}`;
  await compare("transport", context, {
    cases: [
      {
        name: `${(megabytes / 2).toFixed(1)} MB down and up`,
        measured: { numValues },
        sizes: { numValues },
        work: { unit: "MB", amount: megabytes },
      },
    ],
    sides: [
      new TransportSide("protocol, TCP", { kind: "protocol", target: tcp, sharesMemory: false }),
      new TransportSide("protocol, Unix socket", {
        kind: "protocol",
        target: unixSocketOf("protocol"),
        sharesMemory: false,
      }),
      ...(existsSync("/dev/shm")
        ? [
            new TransportSide("protocol, shared memory", {
              kind: "protocol",
              target: unixSocketOf("memory"),
              sharesMemory: true,
            }),
          ]
        : []),
      new TransportSide("bare grpc-js, TCP", { kind: "bare", target: tcp }),
      new TransportSide("bare grpc-js, Unix socket", {
        kind: "bare",
        target: unixSocketOf("bare"),
      }),
      new TransportSide("plain TCP socket", { kind: "raw" }),
    ],
    comparisons: () => ({
      own: ["protocol, TCP", "protocol, Unix socket", "protocol, shared memory"],
      // Streams against their like; shared memory, which has none, against the one across machines.
      barOf: (own, other) => {
        const like = own === "protocol, Unix socket" ? "Unix socket" : "TCP";
        return other === `bare grpc-js, ${like}` ? BAR : null;
      },
    }),
  });
}
