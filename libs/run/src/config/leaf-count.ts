import { wholeNumber } from "@ostinato/lstm";
import type { z } from "zod";

const MAX_MICRO_SHARDS = 1024;

/** The values of a key that counts leaves under a node of the gradient tree, in words. */
export const LEAF_COUNTS = `a power of two between 1 and ${MAX_MICRO_SHARDS}`;

export const leafCount = (): z.ZodInt =>
  wholeNumber(1, MAX_MICRO_SHARDS).refine((value) => Number.isInteger(Math.log2(value)));
