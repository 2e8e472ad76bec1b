/**
 * What a person or a program sees of a run while it trains, and when it is over.
 *
 * @example
 * ```ts
 * const view = json ? createJsonView(writeOut) : createPlainView({ clock, writeOut, writeErr });
 * const { ended, test } = await follow(client.watch(), view);
 * ```
 *
 * @module
 */
export type {
  Baseline,
  DataKind,
  EndedEvent,
  EvaluationEvent,
  NoticeEvent,
  ProgressView,
  SampleTranslation,
  StartedEvent,
  StepEvent,
  Summary,
} from "./events.js";
export { follow } from "./follow.js";
export type { Followed } from "./follow.js";
export { formatBits, formatCount, formatDuration } from "./format.js";
export { createJsonView } from "./json-view.js";
export { createLiveView } from "./live-view.js";
export type { LiveViewModules } from "./live-view.js";
export { createPlainView } from "./plain-view.js";
export type { ViewModules } from "./plain-view.js";
export { comparisonText } from "./summary-text.js";
