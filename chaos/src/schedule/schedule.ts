import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";

/** A whole number from `min` to `max`, both included. */
export type Random = (min: number, max: number) => number;

/**
 * Where a fault fires: at the nth such moment of its worker at this step; if that never comes, at the first one of a
 * later step.
 */
export interface Moment {
  readonly step: number;
  readonly phase: string;
  /** From 1, counted anew with each step. */
  readonly nth: number;
}

export type FaultValues = Readonly<Record<string, number>>;

export interface ScheduledFault {
  /** From 1, in the order of their steps. */
  readonly id: number;
  readonly kind: string;
  /** The worker's place, from 1; 0: the coordinator. */
  readonly slot: number;
  readonly at: Moment;
  /** Drawn for this kind: how long, how far, which bit. */
  readonly values: FaultValues;
}

export interface Schedule {
  readonly seed: number;
  /** Which of the runs in fixtures/. */
  readonly run: string;
  /** Ends the run before its data do; undefined: with them. */
  readonly maxSteps?: number;
  readonly workers: number;
  /** Whether everybody shows a certificate, and nothing goes over the wire in the clear. */
  readonly isEncrypted: boolean;
  readonly faults: readonly ScheduledFault[];
}

/** What a schedule needs to know of a kind of fault. */
export interface FaultKindToDraw {
  readonly kind: string;
  readonly target: "worker" | "coordinator";
  /** Phases to choose from. */
  readonly phases: readonly string[];
  /** The highest nth in any of them. */
  readonly maxNth: number;
  /** Before all others of its schedule: they would wait for it, and be set off all at once. */
  readonly comesFirst?: true;
  readonly draw?: (random: Random) => FaultValues;
}

const RUNS = ["text", "rounded"] as const;
/** Of the runs in fixtures/. A fault needs some steps after it, in which it shows. */
const STEPS = { first: 5, last: 35 } as const;
const NUM_WORKERS = { min: 3, max: 4 } as const;
const NUM_FAULTS = 6;
const ENCRYPTED_ONE_IN = 3;

/**
 * Seeds 1 to 7, 8 to 14 and so on are blocks: the seeds of one share out the whole catalogue, in an order of the block's
 * own, so that any two kinds meet in some seed. Everything else is drawn.
 */
export function drawSchedule(seed: number, catalogue: readonly FaultKindToDraw[]): Schedule {
  const random = randomOf(seed);
  const run = RUNS[random(0, RUNS.length - 1)] ?? "text";
  const workers = random(NUM_WORKERS.min, NUM_WORKERS.max);
  const isEncrypted = random(1, ENCRYPTED_ONE_IN) === 1;
  const kinds = kindsOf(seed, catalogue);
  const order = shuffled(kinds, random).sort(
    (a, b) => Number(b.comesFirst === true) - Number(a.comesFirst === true),
  );
  const gap = (STEPS.last - STEPS.first) / order.length;
  const faults = order.map((kind, index): ScheduledFault => ({
    id: index + 1,
    kind: kind.kind,
    slot: kind.target === "worker" ? random(1, workers) : 0,
    at: {
      step: Math.floor(STEPS.first + index * gap) + random(0, Math.floor(gap) - 2),
      phase: kind.phases[random(0, kind.phases.length - 1)] ?? "",
      nth: random(1, kind.maxNth),
    },
    values: kind.draw?.(random) ?? {},
  }));
  return { seed, run, workers, isEncrypted, faults };
}

function randomOf(seed: number): Random {
  // It mixes its seed: with a xoroshiro128+ odd seeds had the one run, and even ones the other.
  const generator = mersenne(seed);
  return (min, max) => uniformInt(generator, min, max);
}

/** How many seeds share out a catalogue. */
export function seedsPerBlock(catalogue: readonly FaultKindToDraw[]): number {
  return Math.ceil(catalogue.length / NUM_FAULTS);
}

/** The seed's share of its block; the last one's is filled up with what the first one has. */
function kindsOf<T extends FaultKindToDraw>(seed: number, catalogue: readonly T[]): readonly T[] {
  const numSeeds = seedsPerBlock(catalogue);
  const block = Math.floor((seed - 1) / numSeeds);
  const place = seed - 1 - block * numSeeds;
  // Below zero, where no seed is.
  const dealt = shuffled(catalogue, randomOf(-2 - block));
  const first = place * NUM_FAULTS;
  return [...dealt, ...dealt].slice(first, first + Math.min(NUM_FAULTS, dealt.length));
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return Array.from({ length: left.length }, () =>
    left.splice(random(0, left.length - 1), 1),
  ).flat();
}

/** As in `#3 bitFlip at worker 2, step 31, upload 1 (bit 17)`. */
export function describeFault({ id, kind, slot, at, values }: ScheduledFault): string {
  const who = slot === 0 ? "the coordinator" : `worker ${slot}`;
  const drawn = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  return (
    `#${id} ${kind} at ${who}, step ${at.step}, ${at.phase} ${at.nth}` +
    (drawn.length === 0 ? "" : ` (${drawn.join(", ")})`)
  );
}
