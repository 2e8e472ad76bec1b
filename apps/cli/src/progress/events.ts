/** What a person or a program is told of a run, in the order in which it happens. */

import type { WrittenSequence } from "@ostinato/data";
import type { WatchEvent } from "@ostinato/proto";

export type StepEvent = Extract<WatchEvent, { kind: "step" }>;
export type EvaluationEvent = Extract<WatchEvent, { kind: "evaluation" }>;
export type NoticeEvent = Extract<WatchEvent, { kind: "notice" }>;
export type EndedEvent = Extract<WatchEvent, { kind: "ended" }>;

/**
 * What a run is trained on: losses of a text are nats a character, those of sequences
 * what their loss is, those of pairs nats a target token.
 */
export type DataKind = "text" | "sequences" | "pairs";

/** A run is about to begin, or to go on. */
export interface StartedEvent {
  readonly runDirectory: string;
  readonly coordinatorAddress: string;
  /** URL of the coordinator's metrics page. */
  readonly metricsUrl: string;
  readonly workers: number;
}

/** What came out, once a run is completed. */
export interface Summary {
  readonly kind: DataKind;
  readonly runDirectory: string;
  /** The test part's loss, of a text in nats; undefined if the config asks for no final evaluation. */
  readonly testLoss: number | undefined;
  /** Interpolated Witten-Bell n-gram models of the same training text, on the test part. */
  readonly baselines: readonly Baseline[];
  /** Undefined if no text could be generated. */
  readonly sample: { readonly prompt: string; readonly text: string } | undefined;
  /** Of pairs: some of the test part; empty if none could be made. */
  readonly translations: readonly SampleTranslation[];
}

/** A pair that the model was not trained on, and what the model makes of its source. */
export interface SampleTranslation {
  readonly source: WrittenSequence;
  readonly target: WrittenSequence;
  readonly translation: WrittenSequence;
}

export interface Baseline {
  readonly order: number;
  readonly bitsPerSymbol: number;
}

/** Shows a run: on a terminal, as plain lines, or as JSON. */
export interface ProgressView {
  started(event: StartedEvent): void;
  step(event: StepEvent): void;
  evaluation(event: EvaluationEvent): void;
  notice(event: Omit<NoticeEvent, "kind">): void;
  ended(event: Omit<EndedEvent, "kind">): void;
  summary(summary: Summary): void;
  /** Gives the terminal back as it was; nothing is shown afterwards. */
  close(): void;
}
