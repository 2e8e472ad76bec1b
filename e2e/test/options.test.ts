/** The promise "workers change the speed, never the result" for models and updates with every option on. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { endOf, ledgerOf, stepsOf, trainToTheEnd } from "./support/cluster.js";
import { run } from "./support/processes.js";
import { createWorkspace } from "./support/workspace.js";
import type { Workspace } from "./support/workspace.js";

const REGULARIZED = [
  "model.dropout=0.2",
  "model.inputDropout=0.1",
  "model.outputDropout=0.2",
  "model.variationalDropout=true",
  "model.weightDropout=0.2",
  "model.zoneoutHidden=0.1",
  "model.embeddingDropout=0.1",
  "model.activationPenalty=2",
  "model.temporalActivationPenalty=1",
  "model.labelSmoothing=0.1",
  "model.residual=true",
  "model.normalization=layer",
];

const CASES: readonly [string, readonly string[]][] = [
  [
    "an LSTM with peepholes, projection, layer norm and a tied head, by LAMB with noise",
    [
      ...REGULARIZED,
      "model.peephole=true",
      "model.coupledGates=true",
      "model.layerNorm=true",
      "model.zoneoutCell=0.2",
      "model.projectionSize=8",
      "model.tiedEmbedding=true",
      'model.initialization=[{match: "layers.?.kernel", part: recurrent, kind: orthogonal}]',
      "optimizer.kind=lamb",
      'optimizer.groups=[{match: "*.bias", weightDecay: 0, learningRateScale: 2}]',
      "optimizer.gradientNoise.scale=0.01",
      "optimizer.clipping.kind=adaptive",
      "optimizer.schedule.kind=oneCycle",
      "optimizer.schedule.totalSteps=80",
    ],
  ],
  [
    "a GRU whose gates reset before the product, by centered RMSprop",
    [
      ...REGULARIZED,
      "model.cell=gru",
      "model.resetAfter=false",
      "optimizer.kind=rmsprop",
      "optimizer.centered=true",
      "optimizer.momentum=0.5",
      "optimizer.clipping.kind=layer",
      "optimizer.schedule.kind=decayFromEpoch",
      "optimizer.schedule.fullEpochs=1",
      "optimizer.schedule.gamma=0.5",
    ],
  ],
  [
    "a vanilla RNN, by AMSGrad with clipped values",
    [
      ...REGULARIZED,
      "model.cell=rnn",
      "model.activation=relu",
      "optimizer.kind=adamw",
      "optimizer.amsgrad=true",
      "optimizer.clipping.kind=value",
      "optimizer.schedule.kind=inverseSqrt",
      "optimizer.schedule.warmupSteps=10",
    ],
  ],
];

let workspace: Workspace;

beforeAll(async () => {
  workspace = await createWorkspace();
});

afterAll(async () => {
  await workspace.remove();
});

describe("any number of workers gives the same parameters to", () => {
  it.each(CASES)(
    "%s",
    async (name, options) => {
      const settings = [...options, "training.epochs=1"];
      const ends = await Promise.all(
        [1, 3].map(async (numWorkers) => {
          const folder = workspace.at(
            `${CASES.findIndex(([other]) => other === name)}-${numWorkers}`,
          );
          const workers = Array.from({ length: numWorkers }, () => ({}));
          await trainToTheEnd(workspace.config, folder, { settings, workers });
          const verified = await run(["verify", folder]);
          expect(verified, verified.stderr).toMatchObject({ code: 0 });
          const ledger = await ledgerOf(folder);
          return { steps: stepsOf(ledger), end: endOf(ledger) };
        }),
      );
      const [alone, together] = ends.map(({ steps, end }) => ({
        parameters: end.parametersSha256,
        losses: steps.map(({ loss }) => loss),
      }));
      expect(together).toEqual(alone);
      expect(alone!.losses.length).toBeGreaterThan(30);
      expect(alone!.losses.at(-1)).toBeLessThan(alone!.losses[0]!);
    },
    240_000,
  );
});
