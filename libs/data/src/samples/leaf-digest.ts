import { createHash } from "node:crypto";

import { DataError } from "../data-error.js";
import type { LeafRows } from "../layout/index.js";

/**
 * SHA-256 over the bytes of a leaf's rows, in order; that of no bytes for an empty leaf.
 *
 * @throws DataError 'invalidLayout' if the batch has no such leaf
 */
export function leafDigest(
  leaves: readonly LeafRows[],
  leaf: number,
  rowBytes: (row: number) => Uint8Array,
): Uint8Array {
  const rows = leaves.find((entry) => entry.leaf === leaf);
  if (rows === undefined) {
    const present = leaves.map((entry) => entry.leaf).join(", ");
    throw new DataError("invalidLayout", `leaf ${leaf} is not in the batch; it has [${present}]`, {
      leaf,
    });
  }
  const hash = createHash("sha256");
  for (let row = rows.firstRow; row < rows.firstRow + rows.numRows; row++) {
    hash.update(rowBytes(row));
  }
  return new Uint8Array(hash.digest());
}
