/** Feeds a parser with inputs made by chance, keeps those that lead somewhere new, and reports faults. */

import { setImmediate as nextTurn } from "node:timers/promises";
import { describeFault, requireAccepted } from "./faults.js";
import type { Sighting } from "./coverage.js";
import type { FuzzFault } from "./faults.js";
import type { FuzzTarget } from "./fuzz-target.js";
import { minimise } from "./minimise.js";
import { mutate, oneOf, seededRandom } from "./mutator/index.js";

/** What a campaign is guided by; `Coverage` is one. */
export interface Guide {
  /** What ran since the last look. */
  look(): Sighting;
  /** Characters of source that have run, as far as sightings were kept. */
  readonly numCharacters: number;
}

export interface CampaignOptions {
  /** For a target whose cost is 1. */
  readonly numInputs: number;
  readonly seed: number;
  /** Without one every input is made out of the seeds alone. */
  readonly guide?: Guide | undefined;
  /** Told before each input: whoever watches knows what the parser hangs on. */
  readonly announce?: ((input: Uint8Array) => void) | undefined;
  /** Bytes in use after everything unused was collected; 0 where that cannot be known. */
  readonly usedBytes?: (() => number) | undefined;
}

export interface CampaignResult {
  readonly target: string;
  readonly numInputs: number;
  /** Of them, those that the parser took. */
  readonly numAccepted: number;
  /** Inputs that mutations begin with, the seeds among them. */
  readonly numKept: number;
  /** Characters of source that ran while it was fed. */
  readonly numCharacters: number;
  readonly seconds: number;
  readonly slowestMs: number;
  /** Between a quarter of the inputs and the end of them. */
  readonly grownBytes: number;
  readonly faults: readonly FuzzFault[];
}

/** Inputs between two looks at the coverage. */
const BATCH = 128;
const MAX_KEPT = 512;
/** Faults that differ; one is found again and again otherwise. */
const MAX_FAULTS = 20;
/** What the corpus, compiled code and caches of libraries may take; a leak of two kilobytes an input is more. */
const MAX_GROWN_BYTES = 64 << 20;

export async function runCampaign(
  target: FuzzTarget,
  options: CampaignOptions,
): Promise<CampaignResult> {
  const { seed, guide, announce, usedBytes = () => 0 } = options;
  const numInputs = Math.ceil(options.numInputs / target.cost);
  const random = seededRandom(seed, target.name);
  const startMs = performance.now();
  const kept = [...target.seeds];
  /** Those among them that the parser takes: what is made of the others is refused, most of the time. */
  const taken = [...target.seeds];
  const faults = new Map<string, FuzzFault>();
  let numAccepted = 0;
  let slowestMs = 0;

  const feed = async (input: Uint8Array): Promise<boolean> => {
    announce?.(input);
    const beganMs = performance.now();
    try {
      return await target.feed(input);
    } catch (error) {
      const fault = describeFault(error, input);
      if (!faults.has(fault.what) && faults.size < MAX_FAULTS) faults.set(fault.what, fault);
      return false;
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - beganMs);
    }
  };
  const keep = (list: Uint8Array[], input: Uint8Array): void => {
    if (list.length < MAX_KEPT) list.push(input);
    else list[random(target.seeds.length, list.length - 1)] = input;
  };
  const lookAt = async (inputs: readonly Uint8Array[]): Promise<Sighting | undefined> => {
    for (const input of inputs) await feed(input);
    return guide?.look();
  };
  /** Which of these inputs, one of which leads somewhere new, it is: by halves. */
  const keepNew = async (inputs: readonly Uint8Array[], sighting: Sighting): Promise<void> => {
    const [only] = inputs;
    if (inputs.length === 1 && only !== undefined) {
      sighting.keep();
      keep(kept, only);
      if (await feed(only)) keep(taken, only);
      return;
    }
    const middle = inputs.length >> 1;
    const [first, second] = [inputs.slice(0, middle), inputs.slice(middle)];
    const inFirst = await lookAt(first);
    if (inFirst?.isNew() === true) await keepNew(first, inFirst);
    const inSecond = await lookAt(second);
    if (inSecond?.isNew() === true) await keepNew(second, inSecond);
    // What only the whole of them does: once is enough.
    sighting.keep();
  };

  guide?.look().keep();
  const loaded = guide?.numCharacters ?? 0;
  await requireAccepted(target);
  guide?.look().keep();
  let used = 0;
  for (let done = 0; done < numInputs; done += BATCH) {
    const inputs = Array.from({ length: Math.min(BATCH, numInputs - done) }, () => {
      const list = random(0, 2) === 0 ? kept : taken;
      // The newest ones are where the least has been tried.
      const at = Math.max(random(0, list.length - 1), random(0, list.length - 1));
      const input = list[at] ?? Uint8Array.of();
      return mutate(input, { random, other: oneOf(random, kept), words: target.words });
    });
    for (const input of inputs) if (await feed(input)) numAccepted += 1;
    const sighting = guide?.look();
    if (sighting?.isNew() === true) await keepNew(inputs, sighting);
    // A parser that watches its files lets go of them in a turn of the event loop: without one it seems to leak.
    await nextTurn();
    if (used === 0 && done >= numInputs / 4) used = usedBytes();
  }
  const grownBytes = usedBytes() - used;
  const found = [];
  for (const fault of faults.values()) found.push(await minimise(target, fault));
  if (grownBytes > MAX_GROWN_BYTES) {
    found.push({ what: `memory grew by ${grownBytes} bytes`, input: Uint8Array.of() });
  }
  return {
    ...{ target: target.name, numInputs, numAccepted, numKept: kept.length, slowestMs, grownBytes },
    numCharacters: (guide?.numCharacters ?? 0) - loaded,
    seconds: (performance.now() - startMs) / 1000,
    faults: found,
  };
}
