/** What is known of a run, for a person and for a program. */

import type { StatusReply } from "@ostinato/proto";

import { formatCount, formatDuration } from "../progress/index.js";
import type { Answer } from "./answer.js";
import { workersTable } from "./workers-table.js";
import { wrap } from "./wrap.js";

/** @param columns of the terminal */
export function answerText(answer: Answer, columns: number): string {
  const paragraphs =
    answer.kind === "reply" ? replyLines(answer.reply, columns) : wrap(sentenceOf(answer), columns);
  return `${paragraphs.join("\n")}\n`;
}

/** One object: a coordinator's own answer, or what there is without one. */
export function answerJson(answer: Answer): object {
  if (answer.kind !== "reply") return { event: "status", ...answer, message: sentenceOf(answer) };
  const { reply } = answer;
  const workers = reply.workers.map((worker) => ({ ...worker, ...noNumber(worker) }));
  return { event: "status", kind: "reply", ...reply, ...noNumber(reply), workers };
}

/** NaN is no JSON: what is not known yet is null. */
function noNumber(values: object): Readonly<Record<string, null>> {
  const unknown = Object.entries(values).filter(([, value]) => Number.isNaN(value));
  return Object.fromEntries(unknown.map(([name]) => [name, null]));
}

function replyLines(reply: StatusReply, columns: number): readonly string[] {
  const { jobId, incarnation, state, step, totalSteps, epoch, loss } = reply;
  const known = step > 0 && Number.isFinite(loss) && loss !== 0;
  const head = [
    `run ${jobId}`,
    ...(incarnation > 1 ? [`incarnation ${incarnation}`] : []),
    state,
    `step ${step} of ${totalSteps}`,
    `epoch ${epoch}`,
    ...(known ? [`loss ${loss.toPrecision(5)}`] : []),
  ].join(" · ");
  return [
    ...wrap(head, columns),
    ...wrap(paceOf(reply), columns),
    ...wrap(
      `run directory ${reply.runDirectory}, metrics ${reply.metricsAddress}/metrics`,
      columns,
    ),
    "",
    ...workersTable(reply, columns),
    "",
    ...wrap(waitOf(reply), columns),
  ];
}

function paceOf(reply: StatusReply): string {
  const { samplesPerSecond, secondsLeft, numLeaves, leavesDone, roundSeconds } = reply;
  const { checkpointAgeSeconds, deadlineMs } = reply;
  return [
    ...(Number.isFinite(samplesPerSecond) ? [`${formatCount(samplesPerSecond)} samples/s`] : []),
    ...(Number.isFinite(secondsLeft) ? [`${formatDuration(secondsLeft)} left`] : []),
    ...(numLeaves > 0
      ? [`${leavesDone} of ${numLeaves} leaves are in after ${roundSeconds.toFixed(1)} s`]
      : []),
    Number.isFinite(checkpointAgeSeconds)
      ? `checkpoint ${formatDuration(checkpointAgeSeconds)} ago`
      : "no checkpoint yet",
    `deadline ${deadlineMs / 1000} s`,
  ].join(" · ");
}

function waitOf({ waitingFor, state }: StatusReply): string {
  if (waitingFor !== "") return capitalized(`${waitingFor}.`);
  return state === "ended" ? "The run is over." : "Nothing is waited for: it moves.";
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentenceOf(answer: Exclude<Answer, { kind: "reply" }>): string {
  switch (answer.kind) {
    case "completed": {
      const { runDirectory, end } = answer;
      return `${runDirectory}: the run is complete at step ${end.step}`;
    }
    case "silent": {
      const { address, waitedMs, endpoints } = answer;
      const which =
        endpoints === undefined ? "" : `, process id ${endpoints.pid} on ${endpoints.host},`;
      return (
        `the coordinator at ${address}${which} took the connection and did not answer within ` +
        `${waitedMs / 1000} s: it is frozen, or its event loop is blocked`
      );
    }
    case "unreachable":
      return answer.reason;
    case "idle": {
      const { runDirectory, checkpointStep } = answer;
      const isUnsure = answer.killed !== undefined && !isKnownGone(answer);
      const next =
        checkpointStep === undefined
          ? "there is no checkpoint yet"
          : `the newest checkpoint is of step ${checkpointStep}`;
      const goesOn = `--resume --run-dir ${runDirectory} goes on from there`;
      return `${runDirectory}: ${whoWorked(answer)}; ${next}; ${isUnsure ? "if it is gone, " : ""}${goesOn}`;
    }
  }
}

type Idle = Extract<Answer, { readonly kind: "idle" }>;

/** That nobody listens where a coordinator did shows that it is gone; that it cannot be asked does not. */
function isKnownGone({ unreached }: Idle): boolean {
  return unreached === undefined || /ECONNREFUSED|ENOENT/.test(unreached);
}

function whoWorked(answer: Idle): string {
  const { killed, unreached } = answer;
  if (killed === undefined) return "no coordinator works on it";
  const { pid, host, startedAt, address } = killed;
  const who = `its coordinator, process id ${pid} on ${host} since ${startedAt},`;
  if (isKnownGone(answer)) return `${who} is gone without having ended`;
  return (
    `${who} could not be asked at ${address} (${unreached ?? ""}): it may want encryption (--tls-ca), or ` +
    "be out of reach from here"
  );
}
