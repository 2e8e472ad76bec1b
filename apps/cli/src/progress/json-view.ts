/** One JSON object a line on standard output, for programs. */

import { bitsPerSymbol } from "@ostinato/lstm";

import type { DataKind, ProgressView } from "./events.js";

/** A view whose lines have the key `event`: started, step, evaluation, notice, ended or summary. */
export function createJsonView(kind: DataKind, writeOut: (text: string) => void): ProgressView {
  const write = (event: string, fields: object): void => {
    writeOut(`${JSON.stringify({ event, ...fields })}\n`);
  };
  // Of a loss that is no text's, bits say nothing.
  const withBits = (loss: number): { readonly bitsPerSymbol?: number } =>
    kind === "text" ? { bitsPerSymbol: bitsPerSymbol(loss) } : {};
  return {
    started: (event) => write("started", event),
    step: ({ kind: event, ...fields }) => write(event, { ...fields, ...withBits(fields.loss) }),
    evaluation: ({ kind: event, ...fields }) =>
      write(event, { ...fields, ...withBits(fields.loss) }),
    notice: ({ level, text }) => write("notice", { level, text }),
    ended: ({ outcome, reason, step, parametersSha256 }) =>
      write("ended", { outcome, reason, step, parametersSha256 }),
    summary: ({ runDirectory, testLoss, baselines, sample, translations }) =>
      write("summary", {
        runDirectory,
        test: testLoss === undefined ? null : { loss: testLoss, ...withBits(testLoss) },
        baselines,
        sample: sample ?? null,
        ...(kind === "pairs" ? { translations } : {}),
      }),
    close: () => undefined,
  };
}
