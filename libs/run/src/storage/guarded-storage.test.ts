import { readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/temporary-folder.js";
import { FileStorage } from "./file-storage.js";
import { guardStorage } from "./guarded-storage.js";

const folder = temporaryFolder();

describe("a guarded storage", () => {
  it("reads, but changes nothing once its guard throws, not even what it was at", async () => {
    let isHeld = true;
    const storage = guardStorage(new FileStorage(), () => {
      if (!isHeld) throw new Error("lost");
    });
    const at = (name: string): string => join(folder.path, name);
    const bytes = Buffer.from("text");
    await storage.write(at("file"), bytes);
    const beforeCommit = (): Promise<void> => {
      isHeld = false;
      return Promise.resolve();
    };
    for (const change of [
      () => storage.writeFolder(at("folder"), [{ name: "a", bytes }], { beforeCommit }),
      () => storage.write(at("file"), Buffer.from("other"), { beforeCommit }),
    ]) {
      isHeld = true;
      await expect(change()).rejects.toThrow("lost");
    }
    for (const change of [
      () => storage.write(at("other"), bytes),
      () => storage.writeFolder(at("folder"), []),
      () => storage.remove(at("file")),
      () => storage.createFolder(at("folder")),
      () => storage.sweep(folder.path),
    ]) {
      await expect(change()).rejects.toThrow("lost");
    }
    expect(await storage.read(at("file"))).toEqual(bytes);
    expect(await storage.list(folder.path)).toEqual(["file"]);
    expect(await storage.exists(at("file"))).toBe(true);
    const parts: Uint8Array[] = [];
    for await (const part of storage.readParts(at("file"))) parts.push(part);
    expect(Buffer.concat(parts)).toEqual(bytes);
    expect(readdirSync(folder.path)).toEqual(["file"]);
  });
});
