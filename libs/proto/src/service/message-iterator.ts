import type { WireError } from "../errors/index.js";
import type { TrainStream } from "./train-stream.js";

/** Messages taken from the wire and not yet asked for, above which the stream is paused. */
const MAX_WAITING = 16;

/** Turns a stream's callbacks into something to iterate over, once. */
export async function* iterateMessages<In>(
  stream: Pick<TrainStream<In, never>, "onMessage" | "onClosed" | "pause" | "resume" | "cancel">,
): AsyncGenerator<In, void, undefined> {
  const waiting: In[] = [];
  let end: { readonly error: WireError | undefined } | undefined;
  let wake: () => void = () => undefined;
  stream.onMessage((message) => {
    waiting.push(message);
    if (waiting.length >= MAX_WAITING) stream.pause();
    wake();
  });
  stream.onClosed((error) => {
    end = { error };
    wake();
  });
  try {
    for (;;) {
      const message = waiting.shift();
      if (message !== undefined) {
        if (waiting.length === 0) stream.resume();
        yield message;
      } else if (end !== undefined) {
        if (end.error !== undefined) throw end.error;
        return;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    // Left in the middle: nobody reads on, so nothing may pile up.
    if (end === undefined) stream.cancel();
  }
}
