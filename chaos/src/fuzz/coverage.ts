/** Which parts of the code ran, as V8 counts blocks: what tells a fuzzer that an input leads somewhere new. */

import { Session } from "node:inspector";
import type { Profiler } from "node:inspector";

/** What ran between two looks. */
export interface Sighting {
  /** Whether some of it never ran before, as far as was kept. */
  isNew(): boolean;
  /** Counts it as known from now on. */
  keep(): void;
}

/** Of a function's characters (1: it ran). */
interface Ran {
  readonly known: Uint8Array;
  readonly ran: Uint8Array;
}

/** Blocks of the code under test that run in this thread. */
export class Coverage {
  readonly #session = new Session();
  readonly #isCounted: (url: string) => boolean;
  /** By script and place: what of each function has run. */
  readonly #functions = new Map<string, Uint8Array>();
  #numCharacters = 0;

  /**
   * Counts the blocks of functions that are compiled from now on; of one that has run before, only whether it runs.
   *
   * @param isCounted whether a module counts, by its URL
   */
  constructor(isCounted: (url: string) => boolean) {
    this.#isCounted = isCounted;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    // With counts: without them V8 reports a block once and never again.
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Characters of source that have run, as far as sightings were kept. */
  get numCharacters(): number {
    return this.#numCharacters;
  }

  /** What ran since the last look. */
  look(): Sighting {
    const seen: Ran[] = [];
    for (const { scriptId, url, functions } of this.#scripts()) {
      if (!this.#isCounted(url)) continue;
      for (const covered of functions) {
        const ran = this.#ran(scriptId, covered);
        if (ran !== undefined) seen.push(ran);
      }
    }
    return {
      isNew: () => seen.some(({ known, ran }) => ran.some((did, at) => did > (known[at] ?? 0))),
      keep: () => {
        for (const { known, ran } of seen) this.#keep(known, ran);
      },
    };
  }

  close(): void {
    this.#session.post("Profiler.disable");
    this.#session.disconnect();
  }

  #scripts(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = [];
    // A session of one's own thread answers before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error !== null) throw error;
      result = taken.result;
    });
    return result;
  }

  #ran(scriptId: string, { ranges }: Profiler.FunctionCoverage): Ran | undefined {
    const [whole] = ranges;
    if (whole === undefined || !ranges.some(({ count }) => count > 0)) return undefined;
    const start = whole.startOffset;
    const length = whole.endOffset - start;
    const key = `${scriptId} ${start} ${length}`;
    const known = this.#functions.get(key) ?? new Uint8Array(length);
    this.#functions.set(key, known);
    // Ranges lie within those before them: the innermost one says whether a character ran.
    const ran = new Uint8Array(length);
    for (const { startOffset, endOffset, count } of ranges) {
      ran.fill(count === 0 ? 0 : 1, startOffset - start, endOffset - start);
    }
    return { known, ran };
  }

  #keep(known: Uint8Array, ran: Uint8Array): void {
    for (let at = 0; at < known.length; at++) {
      if (ran[at] === 0 || known[at] === 1) continue;
      known[at] = 1;
      this.#numCharacters += 1;
    }
  }
}
