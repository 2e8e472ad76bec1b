/** A process that waits for its shutdown and says what it was; started by shutdown.test.ts. */
import { createShutdown } from "@ostinato/runtime";

const shutdown = createShutdown();
shutdown.signal.addEventListener("abort", () => {
  console.log(JSON.stringify(shutdown.cause));
  // With its listeners gone, nothing keeps the process alive but what it still does.
  shutdown.dispose();
  clearInterval(work);
  process.exitCode = shutdown.exitCode();
});
const work = setInterval(() => undefined, 1000);
console.log("ready");
