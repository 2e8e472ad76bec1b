/**
 * What happened in one run under faults, as the harness saw it: one event a line, in the order of its clock.
 *
 * @example
 * const history = openHistory(join(folder, "history.jsonl"), () => performance.now());
 * history.add({ kind: "process", what: "started", role: "worker", slot: 1, pid });
 */
export { openHistory } from "./history.js";
export type { History } from "./history.js";
export type {
  Direction,
  EvidenceOf,
  HistoryEvent,
  MessageEvent,
  ProcessEvent,
  Resources,
  SeenMessage,
  TimedEvent,
} from "./events.js";
