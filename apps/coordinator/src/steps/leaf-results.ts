import type { LeafResult } from "@ostinato/proto";
import type { UploadShape } from "./staged-upload.js";

/** What is wrong with a list of leaf results for exactly this node's leaves, if anything. */
export function leafResultsProblem(
  { node, totalLossWeight }: Pick<UploadShape, "node" | "totalLossWeight">,
  results: readonly LeafResult[],
): string | undefined {
  const expected = new Set<number>();
  for (let i = 0; i < node.numLeaves; i++) expected.add(node.firstLeaf + i);
  for (const result of results) {
    if (!expected.delete(result.leaf)) return `leaf ${result.leaf} is foreign or comes twice`;
    if (!(result.lossWeight >= 0 && result.lossWeight <= totalLossWeight)) {
      return (
        `the loss weight of leaf ${result.leaf} is ${result.lossWeight}; ` +
        `the whole batch has ${totalLossWeight}`
      );
    }
    if (result.sampleDigest.byteLength !== 32) {
      return `the sample digest of leaf ${result.leaf} is not a SHA-256`;
    }
  }
  const missing = [...expected][0];
  return missing === undefined ? undefined : `the result of leaf ${missing} is missing`;
}
