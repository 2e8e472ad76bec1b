import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createTokenVocabulary } from "@ostinato/data";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { claimantOf, ClaimTime } from "../../test/support/claimant.js";
import { compileConfig } from "../config/index.js";
import { FileStorage } from "../storage/index.js";
import { createRunDirectory, openRunDirectory } from "./run-directory.js";

const config = compileConfig(
  { name: "book", data: { files: ["*.txt", "npm:x/y.txt"] }, cluster: { workers: 3 } },
  "x.yaml",
  { directory: "/somewhere/else" },
);
const symbols = ["", "\n", "a", "é", "😀"];
const startedAt = new Date(Date.UTC(2026, 10, 24, 3, 15, 9, 123));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostinato-run-"));
});
afterEach(() => rm(folder, { recursive: true }));

const create = (path: string | undefined, claimant = claimantOf()) =>
  createRunDirectory({
    path,
    runsFolder: join(folder, "runs"),
    config,
    symbols,
    startedAt,
    claimant,
  });
const namesIn = async (path: string): Promise<string[]> =>
  (await readdir(path, { recursive: true })).sort();

describe("createRunDirectory", () => {
  it("names a run by config and start, and numbers the ones of the same second", async () => {
    const roots = [await create(undefined), await create(undefined), await create(undefined)];
    expect(roots.map(({ paths }) => paths.root)).toEqual(
      ["book-20261124T031509Z", "book-20261124T031509Z-2", "book-20261124T031509Z-3"].map((name) =>
        join(folder, "runs", name),
      ),
    );
  });

  it("takes a path that is new or an empty folder", async () => {
    await create(join(folder, "a", "b"));
    await mkdir(join(folder, "empty"));
    await create(join(folder, "empty"));
    expect(await readdir(join(folder, "empty"))).toEqual([
      "config.yaml",
      "incarnations",
      "vocabulary.json",
    ]);
  });

  it("leaves a folder alone that another start has claimed, whatever it has written so far", async () => {
    await mkdir(join(folder, "empty"));
    const clock = new ClaimTime();
    const created = await clock.until(
      Promise.allSettled(
        [5, 6].map((pid) =>
          create(join(folder, "empty"), claimantOf({ pid, clock, alive: [5, 6] })),
        ),
      ),
    );
    const winner = created.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    expect(winner).toHaveLength(1);
    expect(created.find((one) => one.status === "rejected")?.reason).toMatchObject({
      code: "runDirectoryInUse",
      message: expect.stringContaining("in use by the coordinator with process id"),
    });
    winner[0]?.claim.requireHeld();
    expect(await namesIn(join(folder, "empty"))).toEqual([
      "config.yaml",
      "incarnations",
      "incarnations/000001.json",
      "vocabulary.json",
    ]);
  });

  it("takes a folder over whose run ended before its first ledger line, and no other", async () => {
    const { paths } = await create(join(folder, "a"));
    await writeFile(paths.ledger, '{"seq":1');
    const run = await create(join(folder, "a"));
    run.claim.requireHeld();
    expect(await namesIn(paths.root)).not.toContain("ledger.jsonl");
    expect(run.claim.incarnation).toBe(2);
    // A config of somebody's own, in a folder without a claim.
    await rm(paths.incarnations, { recursive: true });
    await expect(create(join(folder, "a"))).rejects.toMatchObject({
      message: `${paths.root}: is not empty (config.yaml); name a new or empty folder`,
    });
  });

  it("refuses a folder that holds a run, and changes nothing in it", async () => {
    const { paths } = await create(join(folder, "a"));
    await writeFile(paths.ledger, "{}\n");
    const before = await readFile(paths.config);
    await expect(create(paths.root)).rejects.toMatchObject({
      code: "runDirectoryInUse",
      message: `${paths.root}: holds a run already; resume it with --resume, or name another folder`,
    });
    expect(await readFile(paths.config)).toEqual(before);
  });

  it("refuses a folder that holds anything else, and a file", async () => {
    await writeFile(join(folder, "notes.txt"), "mine");
    await expect(create(folder)).rejects.toMatchObject({
      code: "runDirectoryInUse",
      message: `${folder}: is not empty (notes.txt); name a new or empty folder`,
    });
    await expect(create(join(folder, "notes.txt"))).rejects.toMatchObject({
      code: "runDirectoryInUse",
      message: `${join(folder, "notes.txt")}: is a file, not a folder`,
    });
    expect(await namesIn(folder)).toEqual(["notes.txt"]);
  });

  it("can be taken back, with the ledger, and with folders that came with it", async () => {
    const run = await create(undefined);
    await writeFile(run.paths.ledger, "");
    await run.discard();
    expect(await namesIn(folder)).toEqual([]);
    await (await create(join(folder, "a", "b", "c"))).discard();
    expect(await namesIn(folder)).toEqual([]);
  });

  it("is taken back without what is not its own", async () => {
    const run = await create(join(folder, "a"));
    await writeFile(join(folder, "a", "notes.txt"), "mine");
    await run.discard();
    expect(await namesIn(folder)).toEqual(["a", "a/notes.txt"]);
  });

  it("leaves folders that were there before when it is taken back", async () => {
    await mkdir(join(folder, "mine", "empty"), { recursive: true });
    await (await create(join(folder, "mine", "empty"))).discard();
    await (await create(join(folder, "mine", "other"))).discard();
    expect(await namesIn(folder)).toEqual(["mine", "mine/empty"]);
    const first = await create(undefined);
    await (await create(undefined)).discard();
    expect(await readdir(join(folder, "runs"))).toEqual(["book-20261124T031509Z"]);
    await first.discard();
  });

  it("leaves nothing behind if a file cannot be written", async () => {
    class FullStorage extends FileStorage {
      override write(path: string, bytes: Uint8Array): Promise<void> {
        return path.endsWith("config.yaml")
          ? Promise.reject(new Error("no space left"))
          : super.write(path, bytes);
      }
    }
    const path = join(folder, "a", "b");
    const storage = new FullStorage();
    const created = createRunDirectory({
      ...{ path, config, symbols, startedAt, storage },
      claimant: claimantOf(),
    });
    await expect(created).rejects.toThrow("no space left");
    expect(await namesIn(folder)).toEqual([]);
  });
});

describe("openRunDirectory", () => {
  it("gives back config and vocabulary, with the data's place whatever the working folder", async () => {
    const created = await create(undefined);
    await writeFile(created.paths.ledger, "{}\n");
    const run = await openRunDirectory(created.paths.root);
    expect(run.config).toEqual(config);
    expect(run.config.data.baseDirectory).toBe("/somewhere/else");
    expect(run.vocabulary?.symbols).toEqual(symbols);
    expect(run.vocabulary?.decode([2, 4, 0])).toBe("a😀\uFFFD");
    expect(run.vocabularySha256).toBe(created.vocabularySha256);
  });

  it("asks for no vocabulary where the data have no symbols", async () => {
    const path = join(folder, "sequences");
    const { paths } = await createRunDirectory({
      path,
      config: compileConfig(
        { data: { kind: "sequences", files: "x.jsonl" }, model: { kind: "sequenceModel" } },
        "x.yaml",
        { directory: folder },
      ),
      ...{ symbols: null, startedAt, claimant: claimantOf() },
    });
    expect(await namesIn(path)).toEqual([
      "config.yaml",
      "incarnations",
      "incarnations/000001.json",
    ]);
    await writeFile(paths.ledger, "{}\n");
    expect(await openRunDirectory(path)).toMatchObject({
      vocabulary: null,
      vocabularySha256: null,
    });
  });

  it("has the vocabularies of both sides of pairs", async () => {
    const path = join(folder, "pairs");
    const source = createTokenVocabulary({ form: "characters", tokens: ["a", "😀"], firstId: 1 });
    const target = createTokenVocabulary({ form: "tokens", tokens: ["one", "two"], firstId: 3 });
    const { paths } = await createRunDirectory({
      path,
      config: compileConfig(
        { data: { kind: "pairs", files: "x.jsonl" }, model: { kind: "encoderDecoder" } },
        "x.yaml",
        { directory: folder },
      ),
      ...{ symbols: { source, target }, startedAt, claimant: claimantOf() },
    });
    expect(await readFile(paths.vocabulary, "utf8")).toBe(
      '{"format":1,"source":{"form":"characters","tokens":["a","😀"]},' +
        '"target":{"form":"tokens","tokens":["one","two"]}}\n',
    );
    await writeFile(paths.ledger, "{}\n");
    const { vocabulary, pairVocabularies, vocabularySha256 } = await openRunDirectory(path);
    expect(vocabulary).toBeNull();
    expect(vocabularySha256).toMatch(/^[0-9a-f]{64}$/);
    // Id 0 is the unknown token, of a target 1 and 2 are start and end.
    expect(pairVocabularies?.source.decode([2, 1])).toBe("😀a");
    expect(pairVocabularies?.target.decode([4, 3])).toEqual(["two", "one"]);
    for (const text of ['{"format":1,"symbols":[""]}', '{"format":1,"source":{}}']) {
      await writeFile(paths.vocabulary, text);
      await expect(openRunDirectory(path)).rejects.toMatchObject({ code: "vocabularyDamaged" });
    }
  });

  it("asks for the vocabulary of a text", async () => {
    const { paths } = await create(join(folder, "a"));
    await writeFile(paths.ledger, "{}\n");
    await rm(paths.vocabulary);
    await expect(openRunDirectory(paths.root)).rejects.toMatchObject({
      message: expect.stringContaining("holds no run: there is no vocabulary.json"),
    });
  });

  it("finds no run where a file of it is missing", async () => {
    await expect(openRunDirectory(join(folder, "none"))).rejects.toMatchObject({
      code: "notARun",
      message: `${join(folder, "none")}: holds no run: there is no config.yaml`,
    });
    const { paths } = await create(join(folder, "a"));
    await expect(openRunDirectory(paths.root)).rejects.toMatchObject({
      message:
        `${paths.root}: holds no run: there is no ledger.jsonl; its coordinator ended before it ` +
        "began: start it again, without --resume",
    });
  });

  it("finds no run where the ledger has no line", async () => {
    const { paths } = await create(join(folder, "a"));
    await writeFile(paths.ledger, '{"seq":1');
    await expect(openRunDirectory(paths.root)).rejects.toMatchObject({
      code: "notARun",
      message: expect.stringContaining("there is no line in ledger.jsonl; its coordinator ended"),
    });
  });

  it("refuses a vocabulary that is none", async () => {
    const { paths } = await create(join(folder, "a"));
    await writeFile(paths.ledger, "{}\n");
    for (const text of ["", "{}", '{"format":1,"symbols":["a"]}', '{"format":0,"symbols":[""]}']) {
      await writeFile(paths.vocabulary, text);
      await expect(openRunDirectory(paths.root)).rejects.toMatchObject({
        code: "vocabularyDamaged",
      });
    }
    await writeFile(paths.vocabulary, '{"format":2,"words":[]}');
    await expect(openRunDirectory(paths.root)).rejects.toMatchObject({
      code: "newerFormat",
      message: expect.stringMatching(/vocabulary.json: is of format 2, which a newer version/),
    });
  });

  it("keeps what the operational keys were changed to", async () => {
    const { paths } = await create(join(folder, "a"));
    await writeFile(paths.ledger, "{}\n");
    const run = await openRunDirectory(paths.root);
    await run.writeConfig({ ...config, cluster: { ...config.cluster, workers: 5 } });
    expect((await openRunDirectory(paths.root)).config.cluster.workers).toBe(5);
  });
});

describe("the end record", () => {
  const end = {
    outcome: "completed",
    step: 12,
    parametersSha256: "a".repeat(64),
    ledger: { head: "b".repeat(64), offset: 345 },
  } as const;

  it("is not there before the end, and then as it was written", async () => {
    const run = await create(join(folder, "a"));
    expect(await run.readEnd()).toBeUndefined();
    await run.writeEnd(end);
    expect(await run.readEnd()).toEqual(end);
  });

  it("is refused if it is damaged", async () => {
    const run = await create(join(folder, "a"));
    for (const text of ["", "{}", JSON.stringify({ ...end, step: -1 })]) {
      await writeFile(run.paths.end, text);
      await expect(run.readEnd()).rejects.toMatchObject({ code: "endRecordDamaged" });
    }
  });
});
