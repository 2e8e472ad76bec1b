import * as nodeFileSystem from "node:fs/promises";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { compileLanguageModelSpec, parameterLayout } from "@ostinato/lstm";
import { describe, expect, it } from "vitest";

import {
  checkpointSteps,
  loadCheckpoint,
  newestCheckpoint,
  parametersSha256,
  readPointer,
  retention,
  syncedLedgerBytes,
  writeCheckpoint,
} from "../src/checkpoint/index.js";
import { openRunDirectory } from "../src/directory/index.js";
import type { RunDirectory } from "../src/directory/index.js";
import { readLedger } from "../src/ledger/index.js";
import { decodeSafetensors } from "../src/safetensors/index.js";
import { RunError } from "../src/errors/index.js";
import { sealJson } from "../src/sealed-json/index.js";
import { FileStorage } from "../src/storage/index.js";
import { contentAt, LAYOUT, parametersAt, writeSmallRun } from "./support/small-run.js";
import { temporaryFolder } from "./support/temporary-folder.js";

const folder = temporaryFolder();
const identity = { trajectory: "t".repeat(64), data: "d".repeat(64) };
const ledger = { head: "a".repeat(64), offset: 100 };

/** A run that was stopped in its first epoch and has no checkpoint yet. */
async function runWithoutCheckpoints(): Promise<RunDirectory> {
  return (await writeSmallRun(folder.path, { stopAfter: 3 })).run;
}

const write = (run: RunDirectory, step: number): Promise<void> =>
  writeCheckpoint(run, contentAt(step, ledger, identity));

const stepOf = async (run: RunDirectory): Promise<number | undefined> =>
  (await newestCheckpoint(run)).content?.step;

describe("writeCheckpoint", () => {
  it("is read back to the bit", async () => {
    const run = await runWithoutCheckpoints();
    const content = contentAt(4, ledger, identity, { step: 2, loss: 1.25 });
    await writeCheckpoint(run, content);
    expect(await loadCheckpoint(run, 4)).toEqual(content);
  });

  it("has the running statistics of batch normalization, in float64, by name", async () => {
    const run = await runWithoutCheckpoints();
    const content = contentAt(4, ledger, identity);
    const model = compileLanguageModelSpec({ ...content.model, normalization: "batch" });
    const layout = parameterLayout(model);
    const values = (factor: number): Float32Array =>
      Float32Array.from({ length: layout.size }, (_, i) => factor * i);
    const normalized = {
      ...content,
      ...{ model, layout, parameters: values(1) },
      optimizer: { stepCount: 4, slots: { m: values(2), v: values(3) } },
      // No float32 has these values.
      statistics: Float64Array.of(0.1, -0.2, 1 / 3, 1, 1 + Number.EPSILON, 0.7),
    };
    await writeCheckpoint(run, normalized);
    expect(await loadCheckpoint(run, 4)).toEqual(normalized);
    const file = join(run.paths.checkpoints, "step-00000004", "state.safetensors");
    const { tensors } = decodeSafetensors(await readFile(file));
    expect([...tensors].map(([name, { type, shape }]) => [name, type, shape])).toEqual([
      ["layers.0.norm.mean", "F64", [3]],
      ["layers.0.norm.variance", "F64", [3]],
      ["leaf.1", "F32", [6]],
      ["leaf.10", "F32", [6]],
    ]);
  });

  it("names each tensor, so that other programs can read the files", async () => {
    const run = await runWithoutCheckpoints();
    await write(run, 4);
    const namesIn = async (file: string): Promise<string[]> => {
      const path = join(run.paths.checkpoints, "step-00000004", file);
      return [...decodeSafetensors(await readFile(path)).tensors.keys()];
    };
    const names = LAYOUT.tensors.map(({ name }) => name);
    expect(await namesIn("parameters.safetensors")).toEqual(names);
    expect(await namesIn("optimizer.safetensors")).toEqual([
      ...names.map((name) => `m.${name}`),
      ...names.map((name) => `v.${name}`),
    ]);
    expect(await namesIn("state.safetensors")).toEqual(["leaf.1", "leaf.10"]);
  });

  it("points to the latest and, at the best step, to the best", async () => {
    const run = await runWithoutCheckpoints();
    expect(await readPointer(run, "latest")).toBeUndefined();
    await writeCheckpoint(run, contentAt(4, ledger, identity, { step: 4, loss: 1.25 }));
    await writeCheckpoint(run, contentAt(8, ledger, identity, { step: 4, loss: 1.25 }));
    expect(await readPointer(run, "latest")).toEqual({ step: 8 });
    expect(await readPointer(run, "best")).toEqual({ step: 4, loss: 1.25 });
  });

  it("leaves nothing if the ledger cannot be synced before", async () => {
    const run = await runWithoutCheckpoints();
    const beforeCommit = (): Promise<void> => Promise.reject(new Error("disk gone"));
    const written = writeCheckpoint(run, contentAt(4, ledger, identity), { beforeCommit });
    await expect(written).rejects.toThrow("disk gone");
    expect(await readdir(run.paths.checkpoints)).toEqual([]);
  });

  it("replaces a damaged one of the same step", async () => {
    const run = await runWithoutCheckpoints();
    await write(run, 4);
    await rm(join(run.paths.checkpoints, "step-00000004", "state.safetensors"));
    await write(run, 4);
    expect(await stepOf(run)).toBe(4);
  });

  it("leaves the older one usable and no temporary name, whichever call fails", async () => {
    const run = await runWithoutCheckpoints();
    await write(run, 4);
    for (let failing = 0, isWritten = false; !isWritten; failing++) {
      let call = 0;
      const faulty = new FileStorage(
        new Proxy(nodeFileSystem, {
          get: (target, name: "open") =>
            call++ === failing
              ? () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }))
              : target[name],
        }),
      );
      isWritten = await write({ ...run, storage: faulty }, 8).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ code: "storageFailed" });
          return false;
        },
      );
      const hidden = await readdir(run.paths.checkpoints);
      expect(hidden.filter((name) => name.startsWith("."))).toEqual([]);
      expect([4, 8], `call ${failing}`).toContain(await stepOf(run));
      await run.storage.remove(join(run.paths.checkpoints, "step-00000008"));
      expect(await stepOf(run)).toBe(4);
    }
  });
});

describe("newestCheckpoint", () => {
  it("has nothing and skips nothing where there is none", async () => {
    const run = await runWithoutCheckpoints();
    expect(await newestCheckpoint(run)).toEqual({ content: undefined, skipped: [] });
  });

  const files = [
    "manifest.json",
    "parameters.safetensors",
    "optimizer.safetensors",
    "state.safetensors",
  ];

  it.each(files)("skips one whose %s was changed anywhere, cut or removed", async (name) => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8]) await write(run, step);
    const file = join(run.paths.checkpoints, "step-00000008", name);
    const bytes = await readFile(file);
    const damage: (Buffer | undefined)[] = [
      ...Array.from({ length: 23 }, (_, i) => {
        const changed = Buffer.from(bytes);
        changed[Math.floor((i * (bytes.length - 1)) / 22)]! ^= 1 << (i & 7);
        return changed;
      }),
      ...[0, 1, 8, bytes.length >> 1, bytes.length - 1].map((end) => bytes.subarray(0, end)),
      Buffer.concat([bytes, Buffer.from("\n")]),
      undefined,
    ];
    for (const changed of damage) {
      if (changed === undefined) await rm(file);
      else await writeFile(file, changed);
      const { content, skipped } = await newestCheckpoint(run);
      expect(content?.step).toBe(4);
      expect(skipped).toEqual([
        { name: "step-00000008", reason: expect.stringContaining(`${name} `) },
      ]);
    }
    await writeFile(file, bytes);
    expect(await stepOf(run)).toBe(8);
  });

  it("skips, for a run that goes on, one whose best checkpoint is damaged or missing", async () => {
    const run = await runWithoutCheckpoints();
    await write(run, 4);
    await write(run, 8);
    await writeCheckpoint(run, contentAt(12, ledger, identity, { step: 8, loss: 1.25 }));
    const goesOnFrom = async (): Promise<number | undefined> =>
      (await newestCheckpoint(run, { withBest: true })).content?.step;
    expect(await goesOnFrom()).toBe(12);
    await writeFile(join(run.paths.checkpoints, "step-00000008", "state.safetensors"), "x");
    expect(await goesOnFrom()).toBe(4);
    await rm(join(run.paths.checkpoints, "step-00000008"), { recursive: true });
    const { content, skipped } = await newestCheckpoint(run, { withBest: true });
    expect(content?.step).toBe(4);
    expect(skipped).toEqual([
      {
        name: "step-00000012",
        reason: expect.stringMatching(/a best one that is lost: step-00000008/),
      },
    ]);
    // To draw text from it, it is as good as any.
    expect(await stepOf(run)).toBe(12);
  });

  it("says what is wrong with each that it skips", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8, 12, 16, 20]) await write(run, step);
    const at = (step: string, name = ""): string =>
      join(run.paths.checkpoints, `step-000000${step}`, name);
    await rm(at("20"), { recursive: true });
    await cp(at("04"), at("20"), { recursive: true });
    await rm(at("16", "manifest.json"));
    await writeFile(at("12", "state.safetensors"), "x");
    const parameters = await readFile(at("08", "parameters.safetensors"));
    parameters[parameters.length - 1]! ^= 1;
    await writeFile(at("08", "parameters.safetensors"), parameters);
    const { content, skipped } = await newestCheckpoint(run);
    expect(content?.step).toBe(4);
    expect(skipped.map(({ reason }) => reason)).toEqual([
      "its manifest is that of step 4",
      "manifest.json is missing",
      expect.stringMatching(/^state.safetensors has 1 bytes, not \d+$/),
      "parameters.safetensors does not have the SHA-256 that the manifest names",
    ]);
  });

  it("skips one that names a ledger line which is not there", async () => {
    const { run } = await writeSmallRun(folder.path);
    const contents = await readLedger(run.paths.ledger);
    expect((await newestCheckpoint(run, { ledger: contents })).content?.step).toBe(16);
    const records = contents.records.slice(0, 12);
    const cut = { ...contents, records, bytes: records.at(-1)!.offset };
    const { content, skipped } = await newestCheckpoint(run, { ledger: cut });
    expect(content?.step).toBe(8);
    expect(skipped[0]?.reason).toMatch(/^the ledger was cut/);
  });

  it("refuses one of another vocabulary", async () => {
    const run = await runWithoutCheckpoints();
    await write(run, 4);
    await writeFile(run.paths.vocabulary, '{"format":1,"symbols":["","a"]}\n');
    const { skipped } = await newestCheckpoint(await openRunDirectory(run.paths.root));
    expect(skipped[0]?.reason).toBe(
      "vocabulary.json does not have the SHA-256 that the manifest names",
    );
  });

  it("is not led astray by other names in the folder", async () => {
    const run = await runWithoutCheckpoints();
    await write(run, 4);
    for (const name of ["step-9", "notes.txt", ".step-00000012.partial"]) {
      await writeFile(join(run.paths.checkpoints, name), "x");
    }
    expect(await checkpointSteps(run)).toEqual([4]);
  });
});

describe("loadCheckpoint", () => {
  it("refuses a checkpoint of something else, naming what", async () => {
    const run = await runWithoutCheckpoints();
    await write(run, 4);
    const { model } = await loadCheckpoint(run, 4);
    const refusal = (expected: object): Promise<string> =>
      newestCheckpoint(run, { expected }).then(
        () => "accepted",
        (error: unknown) => {
          expect(error).toMatchObject({ code: "checkpointMismatch" });
          return (error as Error).message;
        },
      );
    expect(await refusal({ model: { ...model, hiddenSize: 256 } })).toBe(
      "step-00000004: of another model: hiddenSize is 3, not 256",
    );
    expect(await refusal({ job: "job-2" })).toBe("step-00000004: of another job: job-1, not job-2");
    expect(await refusal({ data: "e" })).toMatch(/of other data: digest d+, not e$/);
    expect(await refusal({ trajectory: "u" })).toMatch(/of another config/);
    const expected = { model: { ...model }, job: "job-1", ...identity };
    expect(await refusal(expected)).toBe("accepted");
  });
});

describe("syncedLedgerBytes", () => {
  it("is the most that a whole manifest names", async () => {
    const run = await runWithoutCheckpoints();
    expect(await syncedLedgerBytes(run)).toBeUndefined();
    for (const step of [4, 8, 12]) {
      await writeCheckpoint(run, contentAt(step, { ...ledger, offset: 100 * step }, identity));
    }
    await writeFile(join(run.paths.checkpoints, "step-00000012", "manifest.json"), "{}\n");
    await rm(join(run.paths.checkpoints, "step-00000008", "state.safetensors"));
    expect(await syncedLedgerBytes(run)).toBe(800);
  });
});

describe("retention", () => {
  it("keeps the newest and the best, and removes what a crash left", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8, 12, 16, 20]) await write(run, step);
    await writeFile(join(run.paths.checkpoints, ".step-00000024.partial"), "x");
    expect(await retention(run, { written: 20, keep: 2, best: 8 })).toEqual([12, 4]);
    expect((await readdir(run.paths.checkpoints)).sort()).toEqual([
      "latest.json",
      "step-00000008",
      "step-00000016",
      "step-00000020",
    ]);
  });

  it("does not count newer ones, which a resume skipped, and removes them", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8, 20, 12]) await write(run, step);
    expect(await retention(run, { written: 12, keep: 1 })).toEqual([20, 8, 4]);
    expect(await readPointer(run, "latest")).toEqual({ step: 12 });
    expect(await checkpointSteps(run)).toEqual([12]);
  });

  it("keeps what latest.json and best.json name, whatever it is told", async () => {
    const run = await runWithoutCheckpoints();
    await writeCheckpoint(run, contentAt(4, ledger, identity, { step: 4, loss: 1 }));
    for (const step of [8, 12, 16]) await write(run, step);
    expect(await retention(run, { written: 8, keep: 1 })).toEqual([12]);
    expect(await checkpointSteps(run)).toEqual([16, 8, 4]);
  });
});

describe("retention of damaged checkpoints", () => {
  const damage = async (run: RunDirectory, step: number): Promise<void> => {
    const name = `step-${String(step).padStart(8, "0")}`;
    const file = join(run.paths.checkpoints, name, "optimizer.safetensors");
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
  };

  it("counts those that verify alone, so that the last good ones stay", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8, 12, 16, 20]) await write(run, step);
    await damage(run, 12);
    await damage(run, 16);
    await rm(join(run.paths.checkpoints, "step-00000008", "state.safetensors"));
    expect(await retention(run, { written: 20, keep: 2 })).toEqual([]);
    expect((await newestCheckpoint(run)).content?.step).toBe(20);
    await damage(run, 20);
    expect((await newestCheckpoint(run)).content?.step).toBe(4);
    // With enough good ones the damaged ones go, as old as they are.
    await write(run, 24);
    await write(run, 28);
    expect(await retention(run, { written: 28, keep: 2 })).toEqual([20, 16, 12, 8, 4]);
  });

  it("removes nothing while it cannot be told which ones are good", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8, 12]) await write(run, step);
    const failing = Object.assign(new FileStorage(), {
      // eslint-disable-next-line require-yield
      async *readParts() {
        await Promise.resolve();
        throw new RunError("storageFailed", "x", {
          cause: Object.assign(new Error(), { code: "EACCES" }),
        });
      },
    });
    await expect(
      retention({ ...run, storage: failing }, { written: 12, keep: 1 }),
    ).rejects.toMatchObject({ code: "storageFailed" });
    expect(await checkpointSteps(run)).toEqual([12, 8, 4]);
  });
});

describe("a checkpoint of a newer format", () => {
  const makeNewer = async (run: RunDirectory, step: number): Promise<void> => {
    const name = `step-${String(step).padStart(8, "0")}`;
    const file = join(run.paths.checkpoints, name, "manifest.json");
    const { hash: _, ...manifest } = JSON.parse(await readFile(file, "utf8")) as { hash: string };
    await writeFile(file, `${sealJson({ ...manifest, format: 2, more: [] }).line}\n`);
  };

  it("is refused by name, though an older one could be used", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8]) await write(run, step);
    await makeNewer(run, 8);
    await expect(newestCheckpoint(run)).rejects.toMatchObject({
      code: "newerFormat",
      message:
        "step-00000008: manifest.json: is of format 2, which a newer version of this program has " +
        "written; this one reads up to 1: go on with that version",
    });
  });

  it("is neither counted nor removed", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8, 12, 16, 20]) await write(run, step);
    await makeNewer(run, 8);
    await makeNewer(run, 20);
    expect(await retention(run, { written: 16, keep: 1 })).toEqual([12, 4]);
    expect(await checkpointSteps(run)).toEqual([20, 16, 8]);
  });
});

describe("a checkpoint that cannot be read", () => {
  const storageThatFails = (code: string): FileStorage => {
    const readFile = (path: string): Promise<Buffer> =>
      path.includes("step-00000008") && path.endsWith("optimizer.safetensors")
        ? Promise.reject(Object.assign(new Error(code), { code }))
        : nodeFileSystem.readFile(path);
    return new FileStorage(Object.assign({}, nodeFileSystem, { readFile }));
  };

  it("is skipped if the disk has lost it, and else refused: it may be there tomorrow", async () => {
    const run = await runWithoutCheckpoints();
    for (const step of [4, 8]) await write(run, step);
    const lost = await newestCheckpoint({ ...run, storage: storageThatFails("EIO") });
    expect(lost.content?.step).toBe(4);
    expect(lost.skipped).toMatchObject([{ reason: expect.stringMatching(/\(EIO\)$/) as string }]);
    await expect(
      newestCheckpoint({ ...run, storage: storageThatFails("EACCES") }),
    ).rejects.toMatchObject({ code: "storageFailed" });
  });
});

describe("parametersSha256", () => {
  it("is the SHA-256 of the little-endian bytes", async () => {
    // printf '\x00\x00\x80\x3f\x00\x00\x00\xc0' | sha256sum
    const expected = "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b";
    expect(await parametersSha256(Float32Array.of(9, 1, -2).subarray(1))).toBe(expected);
    expect(await parametersSha256(parametersAt(1))).not.toBe(expected);
  });
});
