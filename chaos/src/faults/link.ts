/** What happens between a worker and the coordinator. */

import type { FaultKind } from "./fault-kind.js";

const INCOMPLETE = ["malformed", "shape", "checksum"] as const;

/** Half a message arrives, then a reset. */
const reset: FaultKind = {
  kind: "connectionReset",
  target: "worker",
  phases: ["upload", "end"],
  maxNth: 2,
  draw: (random) => ({ bytes: random(1, 40) }),
  fire: ({ slot, fault, evidence }) => {
    slot.relay.cutAfter(fault.values["bytes"] ?? 1);
    evidence(`cut after ${fault.values["bytes"]} bytes of the message`);
    return undefined;
  },
  shows: { logLine: "WORKER .* (lost|left)" },
};

/** Each side hears silence from the other, and nothing says that the connection is gone. */
const halfOpen: FaultKind = {
  kind: "connectionHalfOpen",
  target: "worker",
  phases: ["lease", "upload"],
  maxNth: 1,
  fire: (moment) => {
    const { slot, fence, evidence } = moment;
    slot.relay.swallow();
    moment.meanwhile(
      // The coordinator's own revocation is swallowed too: what shows is that either side gives up.
      Promise.race([slot.leaseGone(fence), slot.streamClosed()]).then(() => {
        evidence("the silent connection was given up");
        slot.relay.release();
      }),
    );
    return undefined;
  },
  shows: { leaseGone: true },
};

/** A slow way: messages come late, one after the other. */
const delay: FaultKind = {
  kind: "linkDelay",
  target: "worker",
  phases: ["lease"],
  maxNth: 1,
  draw: (random) => ({ milliseconds: random(20, 120), messages: random(3, 12) }),
  fire: ({ slot, fault, evidence }) => {
    const { milliseconds = 0, messages = 0 } = fault.values;
    slot.delay(milliseconds, messages);
    evidence(`${messages} messages wait ${milliseconds} ms each`);
    return undefined;
  },
  shows: { nothing: true },
};

/** A message is missing. */
const loss: FaultKind = {
  kind: "messageLoss",
  target: "worker",
  phases: ["upload"],
  maxNth: 3,
  fire: ({ evidence }) => {
    evidence("a frame is missing");
    return [];
  },
  shows: { rejections: INCOMPLETE },
};

/** A message comes twice. */
const repetition: FaultKind = {
  kind: "messageRepetition",
  target: "worker",
  phases: ["upload"],
  maxNth: 3,
  fire: ({ message, evidence }) => {
    evidence("a frame came twice");
    return [message, message];
  },
  shows: { rejections: INCOMPLETE },
};

/** A narrow way. */
const throttle: FaultKind = {
  kind: "linkThrottle",
  target: "worker",
  phases: ["lease"],
  maxNth: 1,
  draw: (random) => ({ bytesPerSecond: random(30, 90) * 1000, bytes: random(20, 60) * 1000 }),
  fire: ({ slot, fault, evidence }) => {
    const { bytesPerSecond = 1, bytes = 0 } = fault.values;
    slot.relay.throttle(bytesPerSecond, bytes);
    evidence(`${bytes} bytes at ${bytesPerSecond} a second`);
    return undefined;
  },
  shows: { nothing: true },
};

export const LINK_FAULTS: readonly FaultKind[] = [
  reset,
  halfOpen,
  delay,
  loss,
  repetition,
  throttle,
];
