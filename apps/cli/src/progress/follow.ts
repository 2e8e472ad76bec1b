import type { WatchEvent } from "@ostinato/proto";

import type { EndedEvent, EvaluationEvent, ProgressView } from "./events.js";

/** What the end of a run leaves for its summary. */
export interface Followed {
  readonly ended: EndedEvent | undefined;
  /** The evaluation of the test part, if there was one. */
  readonly test: EvaluationEvent | undefined;
  /** The newest step that was told of. */
  readonly lastStep: number | undefined;
  /** What broke the stream before the run ended: the coordinator is gone, or cannot be heard. */
  readonly brokenBy: unknown;
}

/** Shows every event of a run, until it ends or the stream breaks, which is no error here. */
export async function follow(
  events: AsyncIterable<WatchEvent>,
  view: ProgressView,
): Promise<Followed> {
  let ended: EndedEvent | undefined;
  let test: EvaluationEvent | undefined;
  let lastStep: number | undefined;
  const iterator = events[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<WatchEvent>;
    try {
      next = await iterator.next();
    } catch (error) {
      return { ended, test, lastStep, brokenBy: ended === undefined ? error : undefined };
    }
    if (next.done === true) return { ended, test, lastStep, brokenBy: undefined };
    const event = next.value;
    switch (event.kind) {
      case "step":
        lastStep = event.step;
        view.step(event);
        break;
      case "evaluation":
        view.evaluation(event);
        if (event.split === "test") test = event;
        break;
      case "notice":
        view.notice(event);
        break;
      case "ended":
        ended = event;
        view.ended(event);
        break;
      default:
        event satisfies never;
    }
  }
}
