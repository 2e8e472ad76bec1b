/** Whether the norm of a node's gradient is far from what it should be. Pure. */

/** The norm of a node's gradient, a sum over its leaves' loss terms. */
export interface NodeNorm {
  /** Euclidean norm; finite. */
  readonly norm: number;
  /** Sum of the loss weights of its leaves. */
  readonly weight: number;
}

interface Point {
  /** Natural logarithm of norm / weight; −∞ for a gradient of zeros. */
  readonly level: number;
  readonly logWeight: number;
}

/** Nearer than this factor nothing is far: gradients of leaves differ by as much as they please. */
const MIN_FACTOR = 8;
/** Spreads (of which a normal distribution has 68 in 100 within one) beyond which a norm is far. */
const MAX_SPREADS = 6;
/** Of a normal distribution the spread is so many times the median distance from the median. */
const SPREAD_OF_MEDIAN_DISTANCE = 1.4826;
/** Steps looked back on. */
const WINDOW = 32;

/**
 * Norms are compared per unit of loss weight. Of a sum over n terms the norm grows with something between √n,
 * where the terms are noise, and n, where they agree: between nodes of different weight that much is allowed
 * for. A node is far off if it is far from the nodes of its own step AND from the steps before, both
 * from their median and from the last one: when all of a step's norms grow, none of them is.
 */
export class NormReference {
  /** The median of each step. */
  readonly #steps: Point[] = [];

  /** Whether the norm is far from those of the steps before; of a first step it isn't known. */
  isFarFromHistory(node: NodeNorm): boolean | undefined {
    const last = this.#steps.at(-1);
    if (last === undefined) return undefined;
    return isFar(node, this.#steps) && isFar(node, [last]);
  }

  /**
   * Whether the norm is to be doubted, next to the others of its step.
   *
   * @param peers the step's other nodes; with none only the history counts
   */
  isOutlier(node: NodeNorm, peers: readonly NodeNorm[]): boolean {
    const others = peers.flatMap((peer) => pointOf(peer) ?? []);
    if (others.length === 0) return this.isFarFromHistory(node) ?? false;
    return (this.isFarFromHistory(node) ?? true) && isFar(node, others);
  }

  /**
   * How many times the usual norm this one is, as far as the nodes' weights let one say; NaN where nothing is
   * known of the usual one.
   */
  timesUsual(node: NodeNorm, peers: readonly NodeNorm[]): number {
    const others = peers.flatMap((peer) => pointOf(peer) ?? []);
    const usual = others.length > 0 ? others : this.#steps;
    const point = pointOf(node);
    if (point === undefined || usual.length === 0) return NaN;
    return Math.exp(point.level - median(usual.map(({ level }) => level)));
  }

  /** A step is over; these nodes made it up. */
  commit(nodes: readonly NodeNorm[]): void {
    const points = nodes.flatMap((node) => pointOf(node) ?? []);
    if (points.length === 0) return;
    this.#steps.push({
      level: median(points.map(({ level }) => level)),
      logWeight: median(points.map(({ logWeight }) => logWeight)),
    });
    if (this.#steps.length > WINDOW) this.#steps.shift();
  }
}

/** Undefined for a node without loss terms, which has nothing to be compared by. */
function pointOf({ norm, weight }: NodeNorm): Point | undefined {
  if (weight === 0) return undefined;
  return { level: Math.log(norm / weight), logWeight: Math.log(weight) };
}

function isFar(node: NodeNorm, others: readonly Point[]): boolean {
  const point = pointOf(node);
  // A sum of no terms is zero.
  if (point === undefined) return node.norm > 0;
  const usual = median(others.map(({ level }) => level));
  if (point.level === usual) return false; // all of them zeros, perhaps
  const distances = others.map(({ level }) => (level === usual ? 0 : Math.abs(level - usual)));
  const spread = SPREAD_OF_MEDIAN_DISTANCE * median(distances);
  const weightRatio = Math.abs(point.logWeight - median(others.map(({ logWeight }) => logWeight)));
  const allowed = Math.max(Math.log(MIN_FACTOR), MAX_SPREADS * spread) + weightRatio / 2;
  return Math.abs(point.level - usual) > allowed;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  if (sorted.length % 2 === 1) return high;
  const low = sorted[middle - 1] ?? NaN;
  return low === high ? low : (low + high) / 2;
}
