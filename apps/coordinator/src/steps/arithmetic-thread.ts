/** Entry of the arithmetic thread: answers one message at a time, in order. */

import { parentPort, workerData } from "node:worker_threads";
import { ArithmeticOperations } from "./arithmetic-operations.js";
import type { ArithmeticInit, ArithmeticRequest } from "./arithmetic-operations.js";

if (parentPort !== null) {
  const port = parentPort;
  const operations = new ArithmeticOperations(workerData as ArithmeticInit);
  port.on("message", (message: { readonly id: number; readonly request: ArithmeticRequest }) => {
    try {
      port.postMessage({ id: message.id, result: operations.run(message.request) });
    } catch (error) {
      port.postMessage({
        id: message.id,
        error: error instanceof Error ? error.message : "failed",
      });
    }
  });
}
