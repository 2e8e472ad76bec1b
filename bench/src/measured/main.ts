/**
 * A process that does measured work when told, and nothing in between, so that others can be measured
 * beside it. Requests and answers are JSON lines, the same as a peer's (bench/README.md).
 *
 *     node dist/measured/main.js BACKEND THREADS
 */
import { createInterface } from "node:readline";

import { matrixProductWork, memoryCopyWork } from "@ostinato/kernels/tensor";
import type { RepeatedWork } from "@ostinato/kernels/tensor";

import type { MeasuredCase } from "../cases/index.js";
import { startBackend } from "./backend.js";
import { recurrentPass } from "./recurrent-pass.js";
import { timed } from "./timing.js";
import { halfGradients, trainingStep } from "./training-step.js";

type Request =
  { readonly prepare: MeasuredCase } | { readonly measure: { readonly seconds: number } };

const [backend = "", threads = "1"] = process.argv.slice(2);
let work: RepeatedWork | undefined;

function createWork(measured: MeasuredCase): RepeatedWork {
  switch (measured.kind) {
    case "recurrentPass":
      return recurrentPass(measured);
    case "trainingStep":
      return trainingStep(measured);
    case "halfGradients":
      return halfGradients(measured);
    case "matrixProduct":
      return matrixProductWork(measured);
    case "memoryCopy":
      return memoryCopyWork(measured.bytes);
    default:
      throw new RangeError(`no such work: ${String(measured satisfies never)}`);
  }
}

async function answer(request: Request): Promise<object> {
  if ("prepare" in request) {
    work?.dispose();
    work = undefined;
    await startBackend(backend, Number(threads));
    work = createWork(request.prepare);
    // Memory is allocated and code compiled in the first one.
    work.once();
    return {};
  }
  if (work === undefined) throw new Error("nothing is prepared");
  return timed(work, request.measure.seconds);
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply: object;
  try {
    reply = { ok: await answer(JSON.parse(line) as Request) };
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
