/** Builds the command line from this process and runs it. Loaded by bin/ostinato.js. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { standBy } from "./standby/index.js";
import { runCommandLine } from "./command-line/index.js";
import { createCommands } from "./commands/index.js";

const { stdout, stderr } = process;

// A reader that goes away early, as in `ostinato generate RUN | head`, is no error.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

const given = process.argv.slice(2);
const started = await standBy(given, process, async (threads) => {
  const { prepareWorker } = await import("@ostinato/worker");
  return prepareWorker({ backend: undefined, threads }, process.version);
});

const exitCode = await runCommandLine(started?.programArguments ?? given, {
  commands: createCommands({
    stdout,
    stderr,
    folder: process.cwd(),
    mainFile: fileURLToPath(import.meta.url),
    worker: started?.worker,
  }),
  version: manifest.version,
  writeOut: (text) => void stdout.write(text),
  writeErr: (text) => void stderr.write(text),
  debug: Boolean(process.env.OSTINATO_DEBUG),
});

// A peer that reads nothing any more, such as a frozen worker, keeps its socket open, and that would
// keep this process alive. What was printed goes out first.
await Promise.all([stdout, stderr].map((stream) => once((done) => void stream.write("", done))));
process.exit(exitCode);

function once(start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    start(() => {
      resolve();
    });
  });
}
