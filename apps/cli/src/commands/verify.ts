import { digestOfVersion } from "@ostinato/proto";
import { verifyRun } from "@ostinato/run";
import type { VerifySummary } from "@ostinato/run";

import type { VerifyOptions } from "../command-line/index.js";
import { EXIT_CODES } from "../errors/index.js";
import type { Terminal } from "./terminal.js";

/** `ostinato verify`: a summary of what was proved, or every problem on a line of its own. */
export async function verify(
  { run, json }: VerifyOptions,
  { stdout }: Pick<Terminal, "stdout">,
): Promise<number> {
  const report = await verifyRun(run, { stepDigest: digestOfVersion });
  if (json) stdout.write(`${JSON.stringify({ event: "verified", ...report })}\n`);
  else if (report.ok) stdout.write(`${run}: ${inWords(report.summary)}\n`);
  else for (const problem of report.problems) stdout.write(`${problem}\n`);
  return report.ok ? EXIT_CODES.done : EXIT_CODES.failed;
}

/** What was proved. A sample of a skipped step is in no gradient, so that is not claimed of it. */
export function inWords(summary: Readonly<VerifySummary>): string {
  const { steps, skippedSteps, skippedSamples, epochs, samples } = summary;
  const { evaluations, resumes, ended, stopReason, workers } = summary;
  const used =
    skippedSteps === 0 ? "with each sample used once" : "with each other sample used once";
  const parts = [
    `verified: ${count(steps, "step")}`,
    ...(ended ? [] : ["not ended"]),
    ...(stopReason === null ? [] : ["ended by early stopping"]),
    ...(skippedSteps === 0
      ? []
      : [`${count(skippedSteps, "step")} skipped (${count(skippedSamples, "sample")} not used)`]),
    `${count(epochs, "whole epoch")} ${used}`,
    count(samples, "sample"),
    count(evaluations, "evaluation"),
    count(resumes, "resume"),
    count(workers.length, "worker"),
  ];
  return parts.join(", ");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
