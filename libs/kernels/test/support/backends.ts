/**
 * The backends that can be tested here. A test file that imports them has one skipped test more, with the
 * reason, where `native` cannot be loaded.
 */
import { it } from "vitest";

import { BACKEND_NAMES } from "../../src/tensor/index.js";
import type { BackendName } from "../../src/tensor/index.js";
import { nativeAddon } from "../../src/tensor/native/index.js";

const missing = reasonOf(nativeAddon);

if (missing !== undefined) {
  it("is tested on the native backend too", ({ skip }) => skip(`no native backend: ${missing}`));
}

export const hasNative = missing === undefined;

/** Of every precision. */
export const allBackends: readonly BackendName[] = BACKEND_NAMES.filter(
  (name) => !name.startsWith("native") || hasNative,
);

/** Whose products are float32. */
export const backends: readonly BackendName[] = allBackends.filter(
  (name) => name !== "native-bfloat16",
);

function reasonOf(load: () => unknown): string | undefined {
  try {
    load();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
