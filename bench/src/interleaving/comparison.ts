import { max, median, min } from "simple-statistics";

import type { Sample, Side } from "../sides/index.js";
import { BenchError } from "../sides/index.js";

/** What one side took, in milliseconds a repetition, one sample a round. */
export interface SideResult {
  readonly side: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly samplesMs: readonly number[];
  /** Medians of what else was measured. */
  readonly details: Readonly<Record<string, number>>;
}

/** How many times as fast `of` is as `to`: the median over the rounds, in each of which both were measured. */
export interface Ratio {
  readonly of: string;
  readonly to: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly perRound: readonly number[];
  /** What it should be at least. */
  readonly bar: number | null;
}

export interface Rounds {
  readonly rounds: number;
  /** Of each measurement. */
  readonly seconds: number;
}

/**
 * Measures all sides in turn, again and again: whatever else the machine does meanwhile slows all of them.
 *
 * @param onFailed told of each side that can't be prepared or measured; the others go on without it
 * @returns what each of the others took, in their order
 */
export async function measureInTurn<Case>(
  sides: readonly Side<Case>[],
  measured: Case,
  { rounds, seconds }: Rounds,
  onFailed: (error: BenchError) => void,
): Promise<readonly SideResult[]> {
  const samples = new Map<Side<Case>, Sample[]>(sides.map((side) => [side, []]));
  const attempt = async (side: Side<Case>, what: () => Promise<unknown>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      samples.delete(side);
      onFailed(error);
    }
  };
  for (const side of sides) await attempt(side, () => side.prepare(measured));
  for (let round = 0; round < rounds; round++) {
    for (const [side, taken] of [...samples]) {
      await attempt(side, async () => taken.push(await side.measure(seconds)));
    }
  }
  return [...samples].map(([{ name }, taken]) => sideResult(name, taken));
}

/** @returns the ratio of two sides of one comparison. */
export function ratioOf(of: SideResult, to: SideResult, bar: number | null): Ratio {
  const perRound = of.samplesMs.map((ms, round) => (to.samplesMs[round] ?? NaN) / ms);
  return {
    of: of.side,
    to: to.side,
    median: median(perRound),
    min: min(perRound),
    max: max(perRound),
    perRound,
    bar,
  };
}

/** What the samples of one side come to; there is one at least. */
export function sideResult(side: string, samples: readonly Sample[]): SideResult {
  const samplesMs = samples.map(({ ms }) => ms);
  const names = Object.keys(samples[0]?.details ?? {});
  const detail = (name: string): number =>
    median(samples.map(({ details }) => details?.[name] ?? NaN));
  return {
    side,
    medianMs: median(samplesMs),
    minMs: min(samplesMs),
    maxMs: max(samplesMs),
    samplesMs,
    details: Object.fromEntries(names.map((name) => [name, detail(name)])),
  };
}
