import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readTextFiles } from "./text-files.js";
import type { TextFiles } from "./text-files.js";

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "ostinato-data-"));
});

afterEach(async () => {
  await rm(base, { recursive: true });
});

async function write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(base, name)), { recursive: true });
    await writeFile(join(base, name), content);
  }
}

const read = (...files: readonly string[]): Promise<TextFiles> =>
  readTextFiles({ files, baseDirectory: base });

const namesOf = ({ files }: TextFiles): string[] => files.map((file) => basename(file));

const refusal = (code: string, ...words: readonly string[]): unknown =>
  expect.objectContaining({
    name: "DataError",
    code,
    message: expect.toSatisfy((text: string) => words.every((word) => text.includes(word))),
  });

/** Runs as a user that file permissions bind; they don't bind root. */
async function withoutPrivileges(run: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe("readTextFiles", () => {
  it("reads chapter_2 before chapter_10 and puts a line feed where a file lacks its last", async () => {
    await write({ "chapter_10.txt": "ten", "chapter_2.txt": "two\n", "chapter_1.txt": "one" });
    const result = await read("chapter_*.txt");
    expect(namesOf(result)).toEqual(["chapter_1.txt", "chapter_2.txt", "chapter_10.txt"]);
    expect(result.text).toBe("one\ntwo\nten");
    expect(result.notes).toEqual([]);
  });

  it("orders the files of a pattern by their whole path", async () => {
    await write({ "part10/1.txt": "c", "part2/2.txt": "b", "part2/01.txt": "a" });
    expect((await read("./**/*.txt")).text).toBe("a\nb\nc");
  });

  it("keeps the order of the patterns and reads a file once", async () => {
    await write({ "a.txt": "a", "b.txt": "b", "preface.txt": "p" });
    expect((await read("preface.txt", "*.txt", join(base, "a.txt"))).text).toBe("p\na\nb");
  });

  it("takes a file of that very name before a glob", async () => {
    await write({ "[a].txt": "brackets", "a.txt": "letter" });
    expect((await read("[a].txt")).text).toBe("brackets");
  });

  it("notes once for all files what it changed", async () => {
    await write({ "1.txt": "\uFEFFa\r\n", "2.txt": "b\r\n", "3.txt": "c\n" });
    const { text, notes } = await read("*.txt");
    expect(text).toBe("a\nb\nc\n");
    expect(notes).toEqual([
      `byte-order mark dropped in "${join(base, "1.txt")}"`,
      `carriage returns (CRLF or CR) read as line feeds in "${join(base, "1.txt")}" and 1 more`,
    ]);
  });

  it("names the pattern and the folder when nothing matches", async () => {
    for (const pattern of ["book.txt", "*.md", "!*.txt", "a/\u0001/b.txt", "x".repeat(700)]) {
      await expect(read(pattern)).rejects.toEqual(
        refusal("fileNotFound", JSON.stringify(pattern), base),
      );
    }
    await expect(read()).rejects.toEqual(refusal("fileNotFound", "at least one file"));
  });

  it("refuses a folder and says how to name its files", async () => {
    await write({ "book/1.txt": "a" });
    await expect(read("book")).rejects.toEqual(refusal("unreadable", 'book" is a folder', "*.txt"));
    await expect(read("")).rejects.toEqual(refusal("unreadable", base));
  });

  it("refuses what is no regular file or no path at all", async () => {
    await expect(read("/dev/null")).rejects.toEqual(refusal("unreadable", "not a regular file"));
    await expect(read("a\0b")).rejects.toEqual(refusal("unreadable"));
  });

  it("reads a file once that a symbolic link leads to as well, and says so", async () => {
    await write({ "book.txt": "a\r\n", "more/other.txt": "b" });
    await symlink("book.txt", join(base, "latest.txt"));
    await symlink("..", join(base, "more/back"));
    const result = await read("*.txt", "more/**/*.txt");
    expect(result.text).toBe("a\nb");
    expect(namesOf(result)).toEqual(["book.txt", "other.txt"]);
    // How often a glob goes around by the link is its own affair.
    const [note] = result.notes;
    expect(note).toMatch(/^not read again, being a file read by another path: .* and \d+ more$/);
    expect(note).toContain(JSON.stringify(join(base, "latest.txt")));
    // By its link's path, where that comes first.
    expect(namesOf(await read("latest.txt", "book.txt"))).toEqual(["latest.txt"]);
    // The same path twice is no surprise.
    expect((await read("more/other.txt", "more/*.txt")).notes).toEqual([]);
  });

  it("names a link that leads nowhere, rather than read a book without its chapter", async () => {
    await write({ "1.txt": "a" });
    await symlink("gone.txt", join(base, "2.txt"));
    await expect(read("*.txt")).rejects.toEqual(refusal("unreadable", "2.txt", "ENOENT"));
    await rm(join(base, "2.txt"));
    await symlink("2.txt", join(base, "2.txt"));
    await expect(read("*.txt")).rejects.toEqual(refusal("unreadable", "2.txt", "ELOOP"));
    // What the pattern does not match is none of its business.
    expect((await read("1*.txt")).text).toBe("a");
    await rm(join(base, "2.txt"));
    await symlink("/dev/null", join(base, "2.txt"));
    await expect(read("*.txt")).rejects.toEqual(refusal("unreadable", "2.txt", "regular file"));
  });

  it("names a folder that may not be read", async () => {
    await write({ "book/1.txt": "a", "book/locked/2.txt": "b" });
    await chmod(base, 0o755);
    await chmod(join(base, "book/locked"), 0o000);
    await withoutPrivileges(async () => {
      await expect(read("book/**/*.txt")).rejects.toEqual(
        refusal("unreadable", "book/locked", "EACCES"),
      );
      expect((await read("book/*.txt")).text).toBe("a");
    });
    await chmod(join(base, "book/locked"), 0o755);
  });

  it("says everything in one line, whatever the names of files and folders", async () => {
    const folder = join(base, "two\nlines");
    await write({ "two\nlines/1.txt": "\uFEFFa\r\n", "two\nlines/empty.txt": "" });
    await write({ "two\nlines/latin.txt": Uint8Array.from([0xe9]), "node_modules/b/a.txt": "a" });
    const messages: string[] = [];
    for (const files of [
      "two\nlines/empty.txt",
      "two\nlines/latin.txt",
      "two\nlines",
      "two\nlines/*.md",
      "npm:two\nlines",
      "npm:b/../two\nlines",
      "npm:b/two\nlines",
      "a\0\n",
    ]) {
      const error: unknown = await read(files).catch((reason: unknown) => reason);
      messages.push((error as Error).message);
    }
    const inFolder = { files: "npm:nowhere/a.txt", baseDirectory: folder };
    const missing: unknown = await readTextFiles(inFolder).catch((reason: unknown) => reason);
    messages.push((missing as Error).message, ...(await read("two\nlines/1.txt")).notes);
    expect(messages).toHaveLength(11);
    for (const message of messages) {
      expect(message).toMatch(/two\\nlines|a\\u0000\\n/);
      expect(message).not.toContain("\n");
    }
  });

  it("names the one bad file among many", async () => {
    await write({ "1.txt": "a", "2.txt": "", "3.txt": Uint8Array.from([0x61, 0xff]) });
    await expect(read("*.txt")).rejects.toEqual(refusal("emptyFile", "2.txt"));
    await expect(read("1.txt", "3.txt")).rejects.toEqual(
      refusal("invalidUtf8", "3.txt", "offset 1"),
    );
  });
});

describe("readTextFiles from a package", () => {
  const manifest = JSON.stringify({ name: "x", exports: { "./only": "./only.js" } });

  it("finds the package in a folder above, though it exports nothing", async () => {
    await write({
      "node_modules/@me/book/package.json": manifest,
      "node_modules/@me/book/data/2.txt": "b",
      "node_modules/@me/book/data/10.txt": "c",
      "project/deep/config.yaml": "",
    });
    const result = await readTextFiles({
      files: "npm:@me/book/data/*.txt",
      baseDirectory: join(base, "project/deep"),
    });
    expect(result.text).toBe("b\nc");
  });

  it("takes the nearest of two and is not led astray by the name of a built-in module", async () => {
    await write({
      "node_modules/events/a.txt": "far",
      "project/node_modules/events/a.txt": "near",
    });
    const baseDirectory = join(base, "project");
    expect((await readTextFiles({ files: "npm:events/a.txt", baseDirectory })).text).toBe("near");
  });

  it("names a package that is not installed", async () => {
    await expect(read("npm:@me/nowhere/a.txt")).rejects.toEqual(
      refusal("packageNotFound", "@me/nowhere", base),
    );
  });

  it("names the pattern that matches nothing in the package", async () => {
    await write({ "node_modules/book/package.json": manifest });
    await expect(read("npm:book/*.txt")).rejects.toEqual(
      refusal("fileNotFound", "*.txt", join(base, "node_modules/book")),
    );
  });

  it.each(["npm:", "npm:book", "npm:book/", "npm:@me/book", "npm:../book/a.txt", "npm:./a.txt"])(
    "refuses %j, which names no files of a package",
    async (pattern) => {
      await expect(read(pattern)).rejects.toEqual(refusal("invalidPattern", pattern));
    },
  );

  it("refuses every way out of the package", async () => {
    await write({ "secret.txt": "s", "node_modules/book/a.txt": "a" });
    await symlink(join(base, "secret.txt"), join(base, "node_modules/book/link.txt"));
    for (const pattern of [
      "npm:book/../../secret.txt",
      "npm:book/data/../../other/a.txt",
      `npm:book/${join(base, "secret.txt")}`,
      "npm:book/link.txt",
      "npm:book/*.txt",
    ]) {
      await expect(read(pattern)).rejects.toEqual(refusal("invalidPattern", "out of its package"));
    }
    expect((await read("npm:book/a.txt")).text).toBe("a");
  });

  it("refuses what a glob finds through a linked folder or by braces outside the package", async () => {
    await write({ "node_modules/other/a.txt": "s", "node_modules/book/a.txt": "a" });
    await symlink(join(base, "node_modules/other"), join(base, "node_modules/book/linked"));
    await expect(read("npm:book/linked/*.txt")).rejects.toEqual(
      refusal("invalidPattern", "out of its package"),
    );
    for (const pattern of ["{..,.}/other/*.txt", "{../other,x}/a.txt", "@(..)/other/a.txt"]) {
      await expect(read(`npm:book/${pattern}`)).rejects.toHaveProperty("name", "DataError");
    }
  });

  it("reads a package that is itself linked", async () => {
    await write({ "packages/book/a.txt": "a", "node_modules/other/a.txt": "o" });
    await symlink(join(base, "packages/book"), join(base, "node_modules/book"));
    expect((await read("npm:book/a.txt")).text).toBe("a");
  });
});
