import type { Rounds } from "../interleaving/index.js";
import { measureInTurn, ratioOf } from "../interleaving/index.js";
import type { Ratio, SideResult } from "../interleaving/index.js";
import type { BenchTable, CaseResult, RowName } from "../report/index.js";
import type { PyTorch, Side } from "../sides/index.js";

/** What every row is measured with. */
export interface RowContext {
  /** Backends of ours to measure. */
  readonly backends: readonly string[];
  readonly numThreads: number;
  readonly isQuick: boolean;
  readonly rounds: Rounds;
  /** Undefined without `--peer pytorch`. */
  readonly pytorch: PyTorch | undefined;
  /** For what runs write; removed afterwards. */
  readonly folder: string;
  /** Whether a case is wanted, by its name. */
  readonly isWanted: (caseName: string) => boolean;
  /** Told of what can't be measured. */
  readonly onNote: (note: string) => void;
  /** Told of each case when it is done. */
  readonly onResult: (result: CaseResult) => void;
  /** Told of what a row makes of its results. */
  readonly onTable: (table: BenchTable) => void;
}

export interface RowCase<Case> extends Pick<CaseResult, "sizes" | "work"> {
  readonly name: string;
  readonly measured: Case;
}

/** What a row adds to the cases that it measures. */
export interface Comparisons {
  /** The names of those whose ratio to others is told. */
  readonly own: readonly string[];
  /** The least ratio to each of the others by name; null where there is none. */
  readonly barOf?: (own: string, other: string) => number | null;
  readonly barMs?: number;
}

/** Measures cases one after the other, all sides in turn, and closes the sides. */
export async function compare<Case>(
  row: RowName,
  context: RowContext,
  given: {
    readonly cases: readonly RowCase<Case>[];
    readonly sides: readonly Side<Case>[];
    readonly comparisons: (name: string) => Comparisons;
    readonly rounds?: Rounds;
  },
): Promise<void> {
  const { sides, comparisons, rounds = context.rounds } = given;
  const comparisonsOf = (name: string): Comparisons => {
    const all = comparisons(name);
    // Tiny shapes have no bar.
    return context.isQuick ? { own: all.own } : all;
  };
  try {
    for (const { name, measured, sizes, work } of given.cases) {
      if (!context.isWanted(name)) continue;
      const results = await measureInTurn(sides, measured, rounds, ({ message }) => {
        context.onNote(`${row}, ${name}: ${message}`);
      });
      if (results.length === 0) continue;
      const { barMs = null, ...ratios } = comparisonsOf(name);
      context.onResult({
        ...{ row, case: name, sizes, work, barMs },
        sides: results,
        ratios: ratiosOf(results, ratios),
      });
    }
  } finally {
    for (const side of sides) await side.close();
  }
}

function ratiosOf(
  results: readonly SideResult[],
  { own, barOf = () => null }: Comparisons,
): readonly Ratio[] {
  const isOwn = ({ side }: SideResult): boolean => own.includes(side);
  const others = results.filter((result) => !isOwn(result));
  return results
    .filter(isOwn)
    .flatMap((of) => others.map((to) => ratioOf(of, to, barOf(of.side, to.side))));
}
