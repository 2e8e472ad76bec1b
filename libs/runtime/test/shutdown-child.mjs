/** A process that waits for its shutdown and says what it was; started by shutdown.test.ts. */
import { clearInterval, setInterval } from "node:timers";

import { createShutdown } from "@ostinato/runtime";

const say = (line) => process.stdout.write(`${line}\n`);

const work = setInterval(() => undefined, 1000);
const shutdown = createShutdown();
shutdown.signal.addEventListener("abort", () => {
  say(JSON.stringify(shutdown.cause));
  // With its listeners gone, nothing keeps the process alive but what it still does.
  shutdown.dispose();
  clearInterval(work);
  process.exitCode = shutdown.exitCode();
});
say("ready");
