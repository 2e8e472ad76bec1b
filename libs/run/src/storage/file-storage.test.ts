import * as nodeFileSystem from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FileStorage } from "./file-storage.js";
import type { FileSystem } from "./file-storage.js";

let folder: string;
let at: (...names: string[]) => string;
beforeEach(async () => {
  folder = await nodeFileSystem.mkdtemp(join(tmpdir(), "ostinato-storage-"));
  at = (...names) => join(folder, ...names);
});
afterEach(() => nodeFileSystem.rm(folder, { recursive: true }));

const storage = new FileStorage();
const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = async (path: string): Promise<string> =>
  Buffer.from(await storage.read(path)).toString();

/** Every name in the folder, hidden ones too. */
const namesIn = async (path: string): Promise<string[]> =>
  (await nodeFileSystem.readdir(path, { recursive: true })).sort();

/**
 * node:fs/promises, but its call number `failing` (0 the first) fails with EIO; so do all later ones if
 * the machine is to be down from there on.
 */
function faultyFileSystem(failing: number, isDownAfter: boolean): FileSystem & { calls: number } {
  const counter = { calls: 0 };
  const step =
    <A extends unknown[], R>(action: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const call = counter.calls++;
      if (call === failing || (isDownAfter && call > failing)) {
        throw Object.assign(new Error("I/O error"), { code: "EIO" });
      }
      return action(...args);
    };
  const wrapped = Object.fromEntries(
    (["access", "mkdir", "readdir", "readFile", "rename", "rm"] as const).map((name) => [
      name,
      step(nodeFileSystem[name] as (...args: unknown[]) => Promise<unknown>),
    ]),
  );
  const open = step(async (...args: Parameters<FileSystem["open"]>) => {
    const file = await nodeFileSystem.open(...args);
    return {
      writeFile: step((data: Uint8Array) => file.writeFile(data)),
      sync: step(() => file.sync()),
      // A handle is given back even by a machine that is down.
      close: () => file.close(),
    };
  });
  return Object.assign(counter, wrapped, { open }) as unknown as FileSystem & { calls: number };
}

const oldFiles = [
  { name: "a", bytes: bytes("old a") },
  { name: "b", bytes: bytes("old b") },
];
const newFiles = [
  { name: "b", bytes: bytes("new b") },
  { name: "c", bytes: bytes("new c") },
];

describe("FileStorage", () => {
  it("writes, replaces and reads files", async () => {
    await storage.write(at("file"), bytes("one"));
    await storage.write(at("file"), bytes("two"));
    expect(await textOf(at("file"))).toBe("two");
    expect(await namesIn(folder)).toEqual(["file"]);
  });

  it("writes and replaces folders with exactly the files given", async () => {
    await storage.writeFolder(at("folder"), oldFiles);
    await storage.writeFolder(at("folder"), newFiles);
    expect(await namesIn(folder)).toEqual(["folder", "folder/b", "folder/c"]);
    expect(await textOf(at("folder", "b"))).toBe("new b");
  });

  it("shows nothing of a folder before it is committed", async () => {
    let seen: string[] = [];
    let isThere = true;
    await storage.writeFolder(at("folder"), newFiles, {
      beforeCommit: async () => {
        seen = await storage.list(folder);
        isThere = await storage.exists(at("folder"));
      },
    });
    expect([seen, isThere]).toEqual([[], false]);
    expect(await storage.list(folder)).toEqual(["folder"]);
  });

  it("gives a file's bytes in parts", async () => {
    const content = Buffer.alloc(700_000, "abc");
    await storage.write(at("file"), content);
    const parts: Uint8Array[] = [];
    for await (const part of storage.readParts(at("file"))) parts.push(part);
    expect(parts.length).toBeGreaterThan(1);
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    const none = storage.readParts(at("none"))[Symbol.asyncIterator]();
    await expect(none.next()).rejects.toMatchObject({ code: "storageFailed" });
  });

  it("does not bring to light what another writer has swept and writes itself by now", async () => {
    await storage.writeFolder(at("folder"), oldFiles);
    const taker = new FileStorage();
    const slept = storage.writeFolder(at("folder"), newFiles, {
      beforeCommit: async () => {
        // Stopped right before its rename; meanwhile another one takes over.
        await taker.sweep(folder);
        await nodeFileSystem.mkdir(at(".folder.partial"));
        await nodeFileSystem.writeFile(at(".folder.partial", "b"), "half");
      },
    });
    await expect(slept).rejects.toMatchObject({ code: "storageFailed" });
    expect(await namesIn(at("folder"))).toEqual(["a", "b"]);
    const write = storage.write(at("file"), bytes("old"), {
      beforeCommit: () => taker.sweep(folder),
    });
    await expect(write).rejects.toMatchObject({ code: "storageFailed" });
    expect(await storage.exists(at("file"))).toBe(false);
  });

  it("leaves nothing if the commit is called off", async () => {
    const called = storage.writeFolder(at("folder"), newFiles, {
      beforeCommit: () => Promise.reject(new Error("ledger not synced")),
    });
    await expect(called).rejects.toThrow("ledger not synced");
    expect(await namesIn(folder)).toEqual([]);
  });

  it("lists names in order, and none of a folder that is not there", async () => {
    for (const name of ["b", "a", "c"]) await storage.write(at(name), bytes(name));
    expect(await storage.list(folder)).toEqual(["a", "b", "c"]);
    expect(await storage.list(at("none"))).toEqual([]);
  });

  it("removes files, folders and what is not there", async () => {
    await storage.write(at("file"), bytes("x"));
    await storage.writeFolder(at("folder"), oldFiles);
    for (const name of ["file", "folder", "none"]) await storage.remove(at(name));
    expect(await namesIn(folder)).toEqual([]);
  });

  it("creates a folder once, and tells which ones it had to create", async () => {
    expect(await storage.createFolder(at("a", "b", "c"))).toBe(at("a"));
    expect(await storage.createFolder(at("a", "b", "c"))).toBeUndefined();
    expect(await storage.createFolder(at("a", "b", "d"))).toBe(at("a", "b", "d"));
    expect(await storage.createFolder(at("a", "e"))).toBe(at("a", "e"));
  });

  it("names the path of whatever fails", async () => {
    await expect(storage.read(at("none"))).rejects.toMatchObject({
      code: "storageFailed",
      message: `${at("none")}: could not read it (ENOENT)`,
    });
    await expect(storage.write(at("no", "file"), bytes("x"))).rejects.toMatchObject({
      message: `${at("no", "file")}: could not write it (ENOENT)`,
    });
  });
});

/** The operations that replace something, with what is there before and after. */
const replacements = [
  {
    name: "write",
    prepare: () => storage.write(at("x"), bytes("old")),
    act: (fs: FileSystem) => new FileStorage(fs).write(at("x"), bytes("new")),
    read: () => textOf(at("x")),
    states: ["old", "new"],
  },
  {
    name: "writeFolder",
    prepare: () => storage.writeFolder(at("x"), oldFiles),
    act: (fs: FileSystem) => new FileStorage(fs).writeFolder(at("x"), newFiles),
    read: async () => {
      const names = await storage.list(at("x"));
      return (await Promise.all(names.map((name) => textOf(at("x", name))))).join();
    },
    states: ["old a,old b", "new b,new c"],
  },
] as const;

describe.each(replacements)("$name", ({ prepare, act, read, states }) => {
  it("keeps the former state and no temporary name, whichever call fails", async () => {
    const counting = faultyFileSystem(Infinity, false);
    await prepare();
    await act(counting);
    expect(counting.calls).toBeGreaterThan(4);
    const names = await namesIn(folder);
    for (let call = 0; call < counting.calls; call++) {
      await storage.remove(at("x"));
      await prepare();
      const before = await namesIn(folder);
      const failure = await act(faultyFileSystem(call, false)).catch((error: unknown) => error);
      // Only what comes after the last rename can fail with the new state in place.
      const state = await read();
      expect(states, `call ${call}`).toContain(state);
      if (failure !== undefined) expect(failure).toMatchObject({ code: "storageFailed" });
      await storage.sweep(folder);
      expect(await namesIn(folder)).toEqual(state === states[0] ? before : names);
    }
  });

  it("leaves one of both states after a sweep, at whichever call the machine goes down", async () => {
    const counting = faultyFileSystem(Infinity, true);
    await prepare();
    await act(counting);
    const seen = new Set<string>();
    for (let call = 0; call < counting.calls; call++) {
      await storage.remove(at("x"));
      await prepare();
      await act(faultyFileSystem(call, true)).catch(() => undefined);
      expect((await storage.list(folder)).filter((name) => name !== "x")).toEqual([]);
      await storage.sweep(folder);
      const state = await read();
      expect(states, `call ${call}`).toContain(state);
      seen.add(state);
      expect((await nodeFileSystem.readdir(folder)).sort()).toEqual(["x"]);
    }
    expect([...seen].sort()).toEqual([...states].sort());
  });
});

describe("remove", () => {
  it("leaves all of a folder or nothing under its name, at whichever call the machine goes down", async () => {
    for (let call = 0; call < 6; call++) {
      await storage.writeFolder(at("x"), oldFiles);
      await new FileStorage(faultyFileSystem(call, true)).remove(at("x")).catch(() => undefined);
      await storage.sweep(folder);
      const names = await namesIn(folder);
      expect([[], ["x", "x/a", "x/b"]], `call ${call}`).toContainEqual(names);
    }
  });
});
