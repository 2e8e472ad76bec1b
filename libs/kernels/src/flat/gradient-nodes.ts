/**
 * A node of the gradient tree, named by the leaves below it: a power of two of them, starting at a
 * multiple of their number. A leaf is the node of one leaf, the root that of all. The name is the
 * same in every tree that is large enough.
 */
export interface NodeId {
  readonly firstLeaf: number;
  readonly numLeaves: number;
}

/** The geometry is computed on 32-bit integers. */
const MAX_LEAVES = 2 ** 30;

const isCount = (value: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= MAX_LEAVES;

const isPowerOfTwo = (value: number): boolean =>
  isCount(value) && value > 0 && (value & (value - 1)) === 0;

/** Whether the two numbers name a node of the tree over `treeLeaves` leaves. */
export function isNodeOf({ firstLeaf, numLeaves }: NodeId, treeLeaves: number): boolean {
  return (
    isPowerOfTwo(treeLeaves) &&
    isPowerOfTwo(numLeaves) &&
    isCount(firstLeaf) &&
    firstLeaf % numLeaves === 0 &&
    firstLeaf + numLeaves <= treeLeaves
  );
}

/** Whether all leaves of `inner` are below `outer`; true for a node and itself. */
export function nodeContains(outer: NodeId, inner: NodeId): boolean {
  return (
    inner.firstLeaf >= outer.firstLeaf &&
    inner.firstLeaf + inner.numLeaves <= outer.firstLeaf + outer.numLeaves
  );
}

/**
 * The node above in a tree that is larger than the node.
 *
 * @throws {RangeError} for numbers that name no node
 */
export function parentOf(node: NodeId): NodeId {
  requireNode(node);
  const numLeaves = node.numLeaves * 2;
  return { firstLeaf: node.firstLeaf - (node.firstLeaf % numLeaves), numLeaves };
}

/**
 * The left and the right half.
 *
 * @throws {RangeError} for a leaf, which has none, and for numbers that name no node
 */
export function childrenOf(node: NodeId): readonly [left: NodeId, right: NodeId] {
  requireNode(node);
  if (node.numLeaves === 1) throw new RangeError(`leaf ${node.firstLeaf} has no children`);
  const numLeaves = node.numLeaves / 2;
  return [
    { firstLeaf: node.firstLeaf, numLeaves },
    { firstLeaf: node.firstLeaf + numLeaves, numLeaves },
  ];
}

/**
 * The other half of the node's parent; undefined for the root of the tree over `treeLeaves` leaves.
 *
 * @throws {RangeError} for numbers that name no node of that tree
 */
export function siblingOf(node: NodeId, treeLeaves: number): NodeId | undefined {
  requireNode(node, treeLeaves);
  if (node.numLeaves === treeLeaves) return undefined;
  const { firstLeaf, numLeaves } = node;
  const isLeft = firstLeaf % (numLeaves * 2) === 0;
  return { firstLeaf: isLeft ? firstLeaf + numLeaves : firstLeaf - numLeaves, numLeaves };
}

/**
 * The fewest nodes that together cover a run of leaves, in ascending order. They are the largest
 * nodes within the run, so that a worker that holds the run uploads as few sums as can be.
 *
 * @returns no node for no leaves
 * @throws {RangeError} for a run that no tree holds
 */
export function nodesCovering(firstLeaf: number, numLeaves: number): NodeId[] {
  const end = firstLeaf + numLeaves;
  if (!isCount(firstLeaf) || !isCount(numLeaves) || !isCount(end)) {
    throw new RangeError(
      `${numLeaves} leaves from leaf ${firstLeaf} on are no run of leaves; ` +
        `leaves are numbered from 0 to ${MAX_LEAVES - 1}`,
    );
  }
  const nodes: NodeId[] = [];
  for (let first = firstLeaf; first < end;) {
    const largestInRun = 1 << (31 - Math.clz32(end - first));
    const largestAligned = first === 0 ? MAX_LEAVES : first & -first;
    const size = Math.min(largestInRun, largestAligned);
    nodes.push({ firstLeaf: first, numLeaves: size });
    first += size;
  }
  return nodes;
}

function requireNode(node: NodeId, treeLeaves = MAX_LEAVES): void {
  if (isNodeOf(node, treeLeaves)) return;
  throw new RangeError(
    `${node.numLeaves} leaves from leaf ${node.firstLeaf} on are no node of a tree of ` +
      `${treeLeaves} leaves; a node has a power of two of leaves and starts at a multiple of it`,
  );
}
