import type { MeasuredStep } from "./measured-steps.js";
import type { CoordinatorCosts } from "./simulation/index.js";

type Measured = Omit<MeasuredStep, "otherMs" | "peakBytes">;

/**
 * What one part of a step costs, from steps of few and of many workers and uploads, each phase as a line:
 * sending takes a + workers · sendMs, receiving b + uploads · receiveMs, of which stepMs is a + b; the
 * arithmetic thread takes updateMs + (uploads - 1) · addMs. Noise makes nothing negative.
 */
export function costsOf(few: Measured, many: Measured): CoordinatorCosts {
  const moreUploads = many.uploads - few.uploads;
  const send = line(few.sendMs, many.sendMs, few.numWorkers, many.numWorkers - few.numWorkers);
  const receive = line(few.receiveMs, many.receiveMs, few.uploads, moreUploads);
  const arithmetic = line(few.arithmeticMs, many.arithmeticMs, few.uploads - 1, moreUploads);
  return {
    stepMs: send.fixedMs + receive.fixedMs,
    sendMs: send.eachMs,
    receiveMs: receive.eachMs,
    addMs: arithmetic.eachMs,
    updateMs: arithmetic.fixedMs,
  };
}

function line(
  fewMs: number,
  manyMs: number,
  few: number,
  more: number,
): { readonly fixedMs: number; readonly eachMs: number } {
  const slope = Math.max(0, (manyMs - fewMs) / more);
  const fixedMs = fewMs - few * slope;
  // Where each one more costs more than the few did on average, it is the many that count.
  return fixedMs >= 0 ? { fixedMs, eachMs: slope } : { fixedMs: 0, eachMs: manyMs / (few + more) };
}
