/**
 * The promise's value, or `aborted` as soon as the signal is. What the promise does after that is
 * nobody's concern. Unlike a race against one long-lived promise, nothing is kept after each call.
 */
export async function untilAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | "aborted"> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<"aborted">((resolve) => {
    abort = () => resolve("aborted");
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
