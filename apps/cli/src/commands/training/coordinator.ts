import { runCoordinator } from "@ostinato/coordinator";
import { loadConfig } from "@ostinato/run";

import type { ReadyMessage, WaitingMessage } from "../../cluster/index.js";
import type { CoordinatorCommandOptions } from "../../command-line/index.js";
import { EXIT_CODES } from "../../errors/index.js";
import { configFileOf } from "./config-file.js";
import { completedRun } from "./completed-run.js";
import { resolveOverrides, serverSecurity } from "../arguments/index.js";
import type { Terminal } from "../terminal.js";

/** `ostinato coordinator`: tells a launcher over IPC when it is ready, and a person in a log line. */
export async function coordinator(
  options: CoordinatorCommandOptions,
  { folder, stderr }: Terminal,
): Promise<number> {
  const security = serverSecurity(options.security);
  const overrides = resolveOverrides(options.set, folder);
  const configFile = await configFileOf(options);
  const config = await loadConfig({ file: configFile, overrides });
  const completed = options.resume ? await completedRun(options.runDir, config) : undefined;
  if (completed !== undefined) {
    stderr.write(`ostinato: ${completed.text}\n`);
    return EXIT_CODES.done;
  }
  const launcher = process.send?.bind(process);
  const exitCode = await runCoordinator({
    config,
    configFile,
    listen: options.listen,
    localSocket: options.localSocket,
    http: options.http,
    runDirectory: options.runDir,
    resume: options.resume,
    insecure: options.insecure,
    security,
    console: launcher === undefined ? "pretty" : "none",
    onWait: (text) => {
      if (launcher === undefined) stderr.write(`ostinato: ${text}\n`);
      else launcher({ kind: "waiting", text } satisfies WaitingMessage);
    },
    onReady: (ready) => {
      launcher?.({ kind: "ready", ...ready } satisfies ReadyMessage);
    },
  });
  // An open channel would keep the process.
  if (process.connected) process.disconnect();
  return exitCode;
}
