/** The files of incarnations where the file system has no hard links, or its replies get lost. */

import type * as fs from "node:fs";
import { closeSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, it, vi } from "vitest";

import { temporaryFolder } from "../../test/support/temporary-folder.js";
import { createIncarnation, newestIncarnation, readIncarnation } from "./incarnation-file.js";
import type { Holder } from "./incarnation-file.js";

const links = vi.hoisted(() => ({ code: undefined as string | undefined, areMade: false }));

vi.mock("node:fs", async (importOriginal) => {
  const actual = await importOriginal<typeof fs>();
  return {
    ...actual,
    linkSync: (from: string, to: string): void => {
      if (links.code === undefined || links.areMade) actual.linkSync(from, to);
      if (links.code !== undefined) throw Object.assign(new Error(), { code: links.code });
    },
  };
});

const folder = temporaryFolder();
beforeEach(() => Object.assign(links, { code: undefined, areMade: false }));

const holder = (id: string): Holder => ({
  ...{ format: 1, incarnation: 3, id, since: "now", deadlineMs: 1000 },
  process: { pid: 1, host: "here", bootId: null, pidNamespace: null, startTicks: null },
});

/** Whether the file became this holder's. */
function creates(id: string): boolean {
  const file = createIncarnation(join(folder.path, "000003.json"), holder(id));
  if (file !== undefined) closeSync(file);
  return file !== undefined;
}

describe("the file of an incarnation", () => {
  it.each([undefined, "EPERM", "ENOTSUP"])("is one holder's alone (link: %s)", (code) => {
    links.code = code;
    expect([creates("a"), creates("b")]).toEqual([true, false]);
    expect(readIncarnation(join(folder.path, "000003.json"))?.holder).toEqual(holder("a"));
    expect(readdirSync(folder.path)).toEqual(["000003.json"]);
    expect(newestIncarnation(folder.path)).toBe(3);
  });

  it("is one's own if a network file system has made it although it said no", () => {
    Object.assign(links, { code: "EEXIST", areMade: true });
    expect(creates("a")).toBe(true);
    links.areMade = false;
    expect(creates("b")).toBe(false);
  });

  it("is not made if somebody has swept the folder meanwhile", () => {
    links.code = "ENOENT";
    expect(creates("a")).toBe(false);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
