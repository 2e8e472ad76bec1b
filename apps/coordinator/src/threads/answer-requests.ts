import { parentPort, workerData } from "node:worker_threads";

/** What a thread can do. */
export interface Operations<Request> {
  /** Its result goes back as a structured clone: large values belong in shared memory. */
  run(request: Request): unknown;
}

/** What a `WorkThread` sends. */
export interface Asked<Request> {
  readonly id: number;
  readonly request: Request;
}

/** What it gets back. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  /** One line, instead of a result. */
  readonly error?: string;
}

/**
 * Makes this thread answer the requests of the `WorkThread` that started it; does nothing in a main thread.
 *
 * @param create is given the thread's `workerData`; what it throws ends the thread
 */
export function answerRequests<Request>(
  create: (workerData: unknown) => Operations<Request>,
): void {
  if (parentPort === null) return;
  const port = parentPort;
  const operations = create(workerData);
  port.on("message", ({ id, request }: Asked<Request>) => {
    let answer: Answer;
    try {
      answer = { id, result: operations.run(request) };
    } catch (error) {
      answer = { id, error: error instanceof Error ? error.message : "failed" };
    }
    port.postMessage(answer);
  });
}
