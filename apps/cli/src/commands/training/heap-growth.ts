/** Keeps the engine's heap near to what lives in it, in a process that is running already. */

import { constants, PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";

/** Of the space for young objects. Read by the engine each time that it would grow. */
export const NO_YOUNG_GROWTH = "--semi-space-growth-factor=1";

const OLD_GROWTH = "--heap-growing-percent";

/** What the space for old objects may grow by from one collection of all of it to the next. Read at the end of each. */
export const SMALL_OLD_GROWTH = `${OLD_GROWTH}=20`;

/** As the engine finds best from how fast objects come, and how fast it collects them. */
export const OWN_OLD_GROWTH = `${OLD_GROWTH}=0`;

/** Collections of all of the heap after which it has about what a run needs. */
export const SETTLED_AFTER = 6;

/**
 * A coordinator's tensors are outside the engine's heap; for the little that is in it, the space for young
 * objects would grow to 32 MiB. `--max-semi-space-size`, which a local cluster starts its coordinator
 * with, is read when the engine starts and not after; the factor that the space grows by is read each
 * time. Called before what takes the memory is loaded, as the space does not shrink.
 *
 * The space for old objects would become 50 MiB before the engine looks again what of it lives, 16: at the first
 * collection, in the midst of loading, it takes it for one that grows fast. Until the process has settled it may grow by
 * little; after that the engine is right, and knows better where messages come with megabytes.
 *
 * @param nodeFlags that this process was started with; who chose a size or a growth keeps it
 * @param setFlag for tests
 */
export function keepHeapSmall(
  nodeFlags: readonly string[],
  setFlag: (flag: string) => void = setFlagsFromString,
): void {
  const isGiven = (name: string): boolean => nodeFlags.some((flag) => flag.startsWith(name));
  if (!isGiven("--max-semi-space-size")) setFlag(NO_YOUNG_GROWTH);
  if (isGiven(OLD_GROWTH)) return;
  setFlag(SMALL_OLD_GROWTH);
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) {
      const { kind } = detail as { readonly kind: number };
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections += 1;
    }
    if (collections < SETTLED_AFTER) return;
    observer.disconnect();
    setFlag(OWN_OLD_GROWTH);
  });
  observer.observe({ entryTypes: ["gc"] });
}
