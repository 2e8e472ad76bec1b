export interface CtcPath {
  readonly path: readonly number[];
  /** The path without repetitions, then without blanks (Graves et al. 2006, the map ℬ). */
  readonly labels: readonly number[];
  readonly probability: number;
}

/**
 * Every path of one row, numLabels^numSteps of them, with its probability.
 *
 * @param logits [steps][labels]
 */
export function allCtcPaths(
  logits: readonly (readonly number[])[],
  blankIndex: number,
): readonly CtcPath[] {
  let paths: { readonly path: readonly number[]; readonly probability: number }[] = [
    { path: [], probability: 1 },
  ];
  for (const step of logits) {
    const total = step.reduce((sum, logit) => sum + Math.exp(logit), 0);
    paths = paths.flatMap(({ path, probability }) =>
      step.map((logit, label) => ({
        path: [...path, label],
        probability: (probability * Math.exp(logit)) / total,
      })),
    );
  }
  return paths.map(({ path, probability }) => ({
    path,
    labels: path.filter((label, t) => label !== blankIndex && label !== path[t - 1]),
    probability,
  }));
}

/** The probability of each label sequence that some path gives, by its labels joined with commas. */
export function labelProbabilities(paths: readonly CtcPath[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { labels, probability } of paths) {
    found.set(labels.join(), (found.get(labels.join()) ?? 0) + probability);
  }
  return found;
}
