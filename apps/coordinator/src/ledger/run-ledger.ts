/** The ledger of a running run: appends what is new, compares what is replayed after a resume. */

import type {
  EndRecord,
  EvaluationRecord,
  LedgerWriter,
  ProfileRecord,
  ResumeRecord,
  RunRecord,
  StepRecord,
} from "@ostinato/run";
import { CoordinatorError } from "../errors/index.js";

/** A place in the ledger: the hash of the line before it, and the bytes up to there. */
export interface LedgerPosition {
  readonly head: string;
  readonly offset: number;
}

/** A line that was in the ledger beyond the checkpoint a run resumes from. */
export interface ReplayLine {
  readonly record: StepRecord | EvaluationRecord | EndRecord;
  readonly position: LedgerPosition;
}

type Committed = StepRecord | EvaluationRecord | EndRecord;

/** What must come out the same when a step is repeated; who computed it may differ. */
const COMPARED = {
  step: [
    "epoch",
    "epochStep",
    "samples",
    "lossSum",
    "lossWeight",
    "learningRate",
    "gradientNorm",
    "clipped",
    "skipped",
    "parameters",
  ],
  skippedStep: ["epoch", "epochStep", "learningRate", "skipped", "parameters"],
  evaluation: ["samples", "lossSum", "lossWeight", "best", "parameters"],
  end: ["outcome", "stopReason", "parametersSha256"],
} as const;

/** What of a skipped step was in when it was found not to be finite depends on timing. */
const kindOf = (record: Committed): keyof typeof COMPARED =>
  record.type === "step" && record.skipped !== null ? "skippedStep" : record.type;

const keyOf = (record: Committed): string =>
  record.type === "evaluation"
    ? `evaluation ${record.step} ${record.split}`
    : `${record.type} ${record.step}`;

/** What each leaf amounted to, in order; who computed it is left out. JSON, for it has no NaN either. */
function leavesOf(record: Committed): readonly string[] {
  if (record.type === "end") return [];
  return record.leaves.map(({ leaf, samples, weight, loss, digest }) =>
    JSON.stringify({ leaf, samples, weight, loss, digest }),
  );
}

export class RunLedger {
  readonly #writer: LedgerWriter;
  readonly #replay: Map<string, ReplayLine>;

  constructor(writer: LedgerWriter, replay: readonly ReplayLine[] = []) {
    this.#writer = writer;
    this.#replay = new Map(replay.map((line) => [keyOf(line.record), line]));
  }

  /** Lines of the former incarnation that were not repeated yet. */
  get numToReplay(): number {
    return this.#replay.size;
  }

  append(record: RunRecord | ProfileRecord | ResumeRecord): LedgerPosition {
    return this.#writer.append(record);
  }

  /**
   * Appends the record, or, where a former incarnation has committed it already, compares.
   *
   * @throws {CoordinatorError} `replayMismatch`, naming the field that came out differently
   */
  commit(record: Committed): { readonly position: LedgerPosition; readonly replayed: boolean } {
    const key = keyOf(record);
    const before = this.#replay.get(key);
    if (before === undefined) return { position: this.#writer.append(record), replayed: false };
    this.#replay.delete(key);
    const was = before.record as unknown as Readonly<Record<string, unknown>>;
    const is = record as unknown as Readonly<Record<string, unknown>>;
    for (const field of COMPARED[kindOf(record)]) {
      // JSON has no NaN: what was not finite stands as null in the ledger.
      const now = Number.isFinite(is[field]) || typeof is[field] !== "number" ? is[field] : null;
      if (!Object.is(was[field], now)) {
        throw new CoordinatorError(
          "replayMismatch",
          `${key} was repeated after a resume and ${field} came out as ${String(is[field])}, ` +
            `the ledger says ${String(was[field])}; the run stops here`,
        );
      }
    }
    const [wasLeaves, isLeaves] = [leavesOf(before.record), leavesOf(record)];
    const leaf = isLeaves.findIndex((text, index) => text !== wasLeaves[index]);
    if (leaf >= 0 || isLeaves.length !== wasLeaves.length) {
      throw new CoordinatorError(
        "replayMismatch",
        `${key} was repeated after a resume and its leaves came out with ${isLeaves[leaf] ?? "missing"}, ` +
          `the ledger says ${wasLeaves[leaf] ?? "nothing"}; the run stops here`,
      );
    }
    return { position: before.position, replayed: true };
  }

  async sync(): Promise<void> {
    await this.#writer.sync();
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}
