/** Far beyond what any test needs; a test that waits so long has failed. */
const PATIENCE_MS = 10_000;

/** Turns of the event loop until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`still waiting for ${String(holds)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
