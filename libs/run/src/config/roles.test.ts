import { describe, expect, it } from "vitest";

import { compileConfig } from "./compile-config.js";
import {
  changedTrajectoryKeys,
  keyRole,
  keyRoles,
  requireSameTrajectory,
  trajectoryDigest,
} from "./roles.js";
import { runConfigSchema } from "./schema.js";
import { keysOf } from "./schema-walk.js";

const config = (raw: object = {}) => compileConfig({ data: { files: "a.txt" }, ...raw }, "x");

describe("the schema", () => {
  it("gives every key a role", () => {
    const without = [...keysOf(runConfigSchema)].filter(({ meta }) => meta === undefined);
    expect(without.map(({ path }) => path)).toEqual([]);
  });

  it("gives a key that several alternatives share one role", () => {
    for (const { path, meta } of keysOf(runConfigSchema)) {
      expect(`${path} ${String(meta?.role)}`).toBe(`${path} ${keyRole(path)}`);
    }
  });

  it("has a role for every key of a config, whatever the alternative", () => {
    const optimizers = [
      "sgd",
      "momentum",
      "averagedSgd",
      "adagrad",
      "rmsprop",
      "adam",
      "adamw",
      "lamb",
    ];
    const clippings = ["none", "globalNorm", "value", "layer", "adaptive"];
    const schedule = { kind: "cosine", totalSteps: 10 };
    const groups = [{ match: "*" }];
    const all = optimizers.flatMap((kind) =>
      clippings.map((clipping) => ({
        optimizer: { kind, schedule, groups, clipping: { kind: clipping } },
      })),
    );
    for (const raw of [{}, ...all]) expect(() => trajectoryDigest(config(raw))).not.toThrow();
  });
});

describe("keyRole", () => {
  it("holds the operational keys, and no others", () => {
    const operational = [...keyRoles()].filter(([, role]) => role === "operational");
    expect(operational.map(([path]) => path)).toEqual([
      "name",
      "data.baseDirectory",
      "numerics.backend",
      "numerics.determinism",
      "checkpoints.everySteps",
      "checkpoints.keep",
      "cluster.workers",
      "cluster.minWorkers",
      "cluster.sharedMemory",
      "cluster.auditEverySteps",
      "cluster.deadlineSeconds",
    ]);
  });

  it("knows no key that the schema does not have", () => {
    expect(() => keyRole("training.hiddenSize")).toThrow("training.hiddenSize: unknown key");
  });
});

describe("trajectoryDigest", () => {
  it("is the same for configs that differ in operational keys", () => {
    const other = config({ name: "b", cluster: { workers: 7 }, checkpoints: { keep: 9 } });
    expect(trajectoryDigest(other)).toBe(trajectoryDigest(config()));
  });

  it("does not depend on the order of keys", () => {
    const a = config({ training: { epochs: 2, batchSize: 8 } });
    const b = config({ training: { batchSize: 8, epochs: 2 } });
    expect(trajectoryDigest(a)).toBe(trajectoryDigest(b));
  });

  it("changes with every trajectory key", () => {
    const changes = [
      { seed: 2 },
      { data: { files: "b.txt" } },
      { data: { files: "a.txt", testFraction: 0.2 } },
      { model: { hiddenSize: 3 } },
      { training: { maxSteps: 3 } },
      { training: { microShards: 1 } },
      { optimizer: { kind: "sgd" } },
      { optimizer: { clipping: { kind: "none" } } },
      { optimizer: { groups: [{ match: "*.bias" }] } },
      { optimizer: { schedule: { kind: "cosine", totalSteps: 5 } } },
      { evaluation: { everySteps: 5 } },
      { evaluation: { everySteps: 5 }, training: { earlyStopping: { patience: 2 } } },
      { evaluation: { everySteps: 5 }, training: { earlyStopping: { patience: 3 } } },
      { evaluation: { everySteps: 5 }, optimizer: { schedule: { kind: "plateau" } } },
      { numerics: { gradients: "bfloat16" } },
      { numerics: { gradients: "bfloat16", gradientLeaves: 2 } },
    ];
    const digests = [config(), ...changes.map(config)].map(trajectoryDigest);
    expect(new Set(digests).size).toBe(changes.length + 1);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("changedTrajectoryKeys", () => {
  it("names the keys that differ, and no operational ones", () => {
    const before = config({ training: { batchSize: 16 }, model: { dropout: 0.5 }, name: "a" });
    const after = config({ training: { batchSize: 8 }, cluster: { workers: 3 }, name: "b" });
    expect(changedTrajectoryKeys(before, after)).toEqual(["model.dropout", "training.batchSize"]);
  });

  it("names the keys that only one alternative has", () => {
    const before = config({ optimizer: { kind: "sgd", learningRate: 0.1 } });
    const after = config({ optimizer: { kind: "momentum", learningRate: 0.1 } });
    expect(changedTrajectoryKeys(before, after)).toEqual([
      "optimizer.dampening",
      "optimizer.kind",
      "optimizer.momentum",
      "optimizer.nesterov",
    ]);
  });

  it("names a group that only one of the configs has, and its keys", () => {
    const evaluation = { everySteps: 5 };
    const after = config({ evaluation, training: { earlyStopping: { patience: 2 } } });
    expect(changedTrajectoryKeys(config({ evaluation }), after)).toEqual([
      "training.earlyStopping",
      "training.earlyStopping.minDelta",
      "training.earlyStopping.patience",
    ]);
  });

  it("is empty for equal configs", () => {
    expect(changedTrajectoryKeys(config(), config())).toEqual([]);
  });
});

describe("a resume of a run begun before a key was there", () => {
  it("is refused by the key's name where the key changes something", () => {
    const given = config({ numerics: { gradients: "bfloat16" } });
    expect(changedTrajectoryKeys(config(), given)).toEqual(["numerics.gradients"]);
    expect(() => requireSameTrajectory(config(), given)).toThrow(
      'numerics.gradients is "bfloat16", but the run was begun with "float32": a resume cannot change it',
    );
  });
});

describe("requireSameTrajectory", () => {
  it("lets operational keys change", () => {
    expect(() =>
      requireSameTrajectory(config(), config({ cluster: { workers: 9 } })),
    ).not.toThrow();
  });

  it("refuses a changed key, naming both values", () => {
    const stored = config({ training: { batchSize: 16 } });
    const given = config({ training: { batchSize: 8, epochs: 2 } });
    expect(() => requireSameTrajectory(stored, given)).toThrow(
      expect.objectContaining({
        code: "trajectoryChanged",
        message:
          "training.batchSize is 8, but the run was begun with 16: a resume cannot change it " +
          "(the same goes for training.epochs)",
      }),
    );
  });

  it("refuses a key that the run never had", () => {
    const given = config({ optimizer: { kind: "momentum", learningRate: 2e-3 } });
    const stored = config({ optimizer: { kind: "sgd", learningRate: 2e-3 } });
    expect(() => requireSameTrajectory(stored, given)).toThrow('optimizer.kind is "momentum", but');
  });
});

describe("the digest of a run of text", () => {
  // As it was before runs of sequences had keys: checkpoints of old runs name it.
  it.each([
    [
      { data: { files: "book.txt" } },
      "165892525ec0610da238c20f2653a164ca1830846e481af128a827eb70891452",
    ],
    [
      {
        data: { files: ["a.txt"], testFraction: 0.2 },
        model: { cell: "gru", hiddenSize: 32 },
        optimizer: { kind: "sgd" },
        training: { sequenceLength: 10 },
      },
      "5484d13d18e412f0a52237b924c286e895cd768bf6825b94e510d8699b2580df",
    ],
  ])("stays what it was: %j", (raw, digest) => {
    expect(trajectoryDigest(config(raw))).toBe(digest);
  });
});
