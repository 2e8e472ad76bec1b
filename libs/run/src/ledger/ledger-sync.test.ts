/** What a disk does to a ledger that is synced: the file system of the tests fails as it is told. */

import * as fs from "node:fs";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LedgerWriter } from "./ledger-writer.js";
import { readLedger } from "./read-ledger.js";
import type { LedgerRecord } from "./records.js";

const faults = vi.hoisted(() => ({
  failingSyncs: 0,
  /** Bytes that the next write takes before it fails; undefined: it does not. */
  writeFailsAfter: undefined as number | undefined,
  writes: [] as { position: number; text: string }[],
}));

vi.mock("node:fs", async (importOriginal) => {
  const actual = await importOriginal<typeof fs>();
  const fail = (code: string): Error => Object.assign(new Error(code), { code });
  return {
    ...actual,
    fdatasync: (file: number, done: (error: Error | null) => void): void => {
      if (faults.failingSyncs > 0) {
        faults.failingSyncs -= 1;
        done(fail("EIO"));
      } else actual.fdatasync(file, done);
    },
    writeSync: (file: number, bytes: Uint8Array, offset = 0, length = 0, position = 0): number => {
      const allowed = faults.writeFailsAfter;
      if (allowed === 0) {
        faults.writeFailsAfter = undefined;
        throw fail("ENOSPC");
      }
      if (allowed !== undefined) faults.writeFailsAfter = 0;
      const numBytes = Math.min(length, allowed ?? length);
      const text = Buffer.from(bytes).toString("utf8", offset, offset + numBytes);
      faults.writes.push({ position, text });
      return actual.writeSync(file, bytes, offset, numBytes, position);
    },
  };
});

const profile = (version: string): LedgerRecord => ({
  type: "profile",
  ...{ backend: "cpu", version, digest: "f" },
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-ledger-sync-"));
  path = join(folder, "ledger.jsonl");
  Object.assign(faults, { failingSyncs: 0, writeFailsAfter: undefined, writes: [] });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("a ledger", () => {
  it("hands the lines of a failed sync to the disk again before it says that they are there", async () => {
    const writer = LedgerWriter.create(path);
    const { offset } = writer.append(profile("1"));
    await writer.sync();
    writer.append(profile("2"));
    faults.failingSyncs = 1;
    await expect(writer.sync()).rejects.toMatchObject({ code: "storageFailed" });
    writer.append(profile("3"));
    faults.writes = [];
    // The system reports a failure once, and then takes what it lost for written.
    await writer.sync();
    const unsynced = readFileSync(path).subarray(offset).toString();
    expect(faults.writes).toEqual([{ position: offset, text: unsynced }]);
    await writer.sync();
    expect(faults.writes).toHaveLength(1);
    await writer.close();
    expect((await readLedger(path)).records).toHaveLength(3);
  });

  it("does not say so of lines that the disk has lost", async () => {
    const writer = LedgerWriter.create(path);
    writer.append(profile("1"));
    faults.failingSyncs = 1;
    await expect(writer.sync()).rejects.toMatchObject({ code: "storageFailed" });
    fs.writeFileSync(path, "\0".repeat(readFileSync(path).length));
    await expect(writer.sync()).rejects.toMatchObject({
      code: "storageFailed",
      message: `${path}: the disk has lost lines behind byte 0`,
    });
    await expect(writer.close()).rejects.toMatchObject({ code: "storageFailed" });
  });

  it("has no half of a line that a full disk refused, and goes on when there is room", async () => {
    const writer = LedgerWriter.create(path);
    writer.append(profile("1"));
    const before = readFileSync(path);
    faults.writeFailsAfter = 20;
    expect(() => writer.append(profile("2"))).toThrow(
      expect.objectContaining({
        code: "storageFailed",
        message: `${path}: cannot be written (ENOSPC)`,
      }),
    );
    expect(readFileSync(path)).toEqual(before);
    expect(writer.append(profile("2")).line).toBe(2);
    await writer.close();
    expect((await readLedger(path)).records).toHaveLength(2);
  });
});
