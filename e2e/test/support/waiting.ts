import { setTimeout as sleep } from "node:timers/promises";

/** Polls until `probe` gives a value; fails after the bound, saying what it waited for. */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  boundMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${boundMs} ms`);
    await sleep(10);
  }
}
