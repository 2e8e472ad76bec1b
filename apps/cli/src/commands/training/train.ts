/** `ostinato train`: a local cluster, what one sees of it, and what came out. */

import { tmpdir } from "node:os";

import { createCoordinatorClient } from "@ostinato/proto";
import { loadConfig } from "@ostinato/run";
import { systemClock } from "@ostinato/runtime";

import { createSocketDirectory, createStartChild, LocalCluster } from "../../cluster/index.js";
import type { ReadyMessage, SocketDirectory } from "../../cluster/index.js";
import type { TrainOptions } from "../../command-line/index.js";
import { EXIT_CODES } from "../../errors/index.js";
import { createJsonView, createLiveView, createPlainView, follow } from "../../progress/index.js";
import type { DataKind, Followed, ProgressView } from "../../progress/index.js";
import { clusterOptions, requireEnoughWorkers } from "./cluster-arguments.js";
import { completedRun } from "./completed-run.js";
import { configFileOf } from "./config-file.js";
import { resolveOverrides } from "../arguments/index.js";
import { showTrainingEnd } from "./training-end.js";
import type { Terminal } from "../terminal.js";

/** Resolves when no child is left and the summary is shown. */
export async function train(options: TrainOptions, terminal: Terminal): Promise<number> {
  const overrides = trainOverrides(options, terminal.folder);
  // Read here too, so that a mistake in it is told before any process is started.
  const config = await loadConfig({ file: await configFileOf(options), overrides });
  const { workers: numWorkers, minWorkers, deadlineSeconds } = config.cluster;
  requireEnoughWorkers(numWorkers, minWorkers);
  const { kind } = config.data;
  const view = createView(kind, options, terminal);
  const completed = options.resume ? await completedRun(options.runDir, config) : undefined;
  if (completed !== undefined) {
    view.notice({ level: "info", text: completed.text });
    view.ended({ ...completed.end, reason: "the run is complete already" });
    view.close();
    return EXIT_CODES.done;
  }
  const sockets = await openSocketDirectory(view);
  const localSocket = sockets?.socket;
  const cluster = new LocalCluster(
    clusterOptions({ options, overrides, numWorkers, minWorkers, deadlineSeconds, localSocket }),
    {
      startChild: createStartChild(terminal.mainFile),
      clock: systemClock,
      onNotice: (text) => view.notice({ level: "warn", text }),
    },
  );
  const onInt = (): void => cluster.interrupt("SIGINT");
  const onTerm = (): void => cluster.interrupt("SIGTERM");
  process.on("SIGINT", onInt).on("SIGTERM", onTerm);
  let ready: ReadyMessage | undefined;
  let followed: Followed | undefined;
  try {
    ready = await cluster.ready();
    if (ready !== undefined) followed = await show(ready, cluster, numWorkers, view);
  } finally {
    await cluster.ended;
    await sockets?.remove();
    view.close();
    process.off("SIGINT", onInt).off("SIGTERM", onTerm);
  }
  const { exitCode, reason } = await cluster.ended;
  // A coordinator that died could not tell.
  if (exitCode === EXIT_CODES.failed && ready !== undefined && followed?.ended === undefined) {
    const { lastStep: step = 0 } = followed ?? {};
    view.ended({ outcome: "failed", reason: reason ?? "", step, parametersSha256: "" });
  }
  if (reason !== undefined) terminal.stderr.write(`ostinato: ${reason}\n`);
  if (exitCode === EXIT_CODES.done && ready !== undefined) {
    await showTrainingEnd(kind, ready.runDirectory, followed?.test?.loss, view);
  }
  return exitCode;
}

/** Undefined, with a notice, where there is none: the workers connect over TCP then. */
async function openSocketDirectory(view: ProgressView): Promise<SocketDirectory | undefined> {
  try {
    return await createSocketDirectory(tmpdir());
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    const text = `no folder for a Unix socket: ${reason}; local workers connect over TCP instead`;
    view.notice({ level: "warn", text });
    return undefined;
  }
}

/** Shows a run until its cluster has ended. */
async function show(
  ready: ReadyMessage,
  cluster: LocalCluster,
  workers: number,
  view: ProgressView,
): Promise<Followed> {
  const { runDirectory, address: coordinatorAddress, metricsAddress } = ready;
  const metricsUrl = `${metricsAddress}/metrics`;
  view.started({ runDirectory, coordinatorAddress, metricsUrl, workers });
  for (const note of ready.notes) view.notice(note);
  const client = createCoordinatorClient(coordinatorAddress);
  // Watching before the workers start, so that no step is missed.
  const following = follow(client.watch(), {
    ...view,
    step: (event) => {
      cluster.noteProgress();
      view.step(event);
    },
  });
  cluster.startWorkers(ready);
  await cluster.ended;
  // Ends a stream that its coordinator did not.
  client.close();
  const followed = await following;
  const { exitCode } = await cluster.ended;
  if (followed.brokenBy !== undefined && exitCode === EXIT_CODES.done) {
    const cause = followed.brokenBy instanceof Error ? followed.brokenBy.message : "unknown";
    view.notice({ level: "warn", text: `the progress of the run could not be followed: ${cause}` });
  }
  return followed;
}

function trainOverrides({ set, workers }: TrainOptions, folder: string): readonly string[] {
  const overrides = resolveOverrides(set, folder);
  return workers === undefined ? overrides : [...overrides, `cluster.workers=${workers}`];
}

function createView(
  kind: DataKind,
  { json }: TrainOptions,
  { stdout, stderr }: Terminal,
): ProgressView {
  const writeOut = (text: string): void => void stdout.write(text);
  const writeErr = (text: string): void => void stderr.write(text);
  if (json) return createJsonView(kind, writeOut);
  return stderr.isTTY
    ? createLiveView({ kind, terminal: stderr, writeOut })
    : createPlainView({ kind, clock: systemClock, writeOut, writeErr });
}
