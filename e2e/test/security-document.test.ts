/** docs/security.md names a test for each threat; each of them is there. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repository } from "./support/workspace.js";

const page = readFileSync(join(repository, "docs/security.md"), "utf8");

/** Of the table of threats: the threat, and the cell of its tests. */
const rows = [...page.matchAll(/^\| ([^|]+?) +\| [^|]+ \| (`[^|]+?) +\|$/gm)]
  .map(([, threat = "", tests = ""]) => ({ threat, tests }))
  .filter(({ tests }) => tests.includes(".test.ts"));

describe("the threat model", () => {
  it("has a row for each threat, with tests", () => {
    expect(rows.length).toBeGreaterThanOrEqual(20);
    // No row of the table escapes the pattern above.
    const [, table = ""] = /^## Threats$(.*?)^## /ms.exec(page) ?? [];
    const numLines = table.split("\n").filter((line) => line.startsWith("|")).length;
    expect(rows).toHaveLength(numLines - 2);
  });

  it.each(rows.map(({ threat, tests }) => [threat, tests]))("names tests of: %s", (_, tests) => {
    for (const [, file = "", titles = ""] of tests.matchAll(
      /`([^`]+)`(?:: ((?:"[^"]+"(?:, )?)+))?/g,
    )) {
      expect(existsSync(join(repository, file)), file).toBe(true);
      const source = readFileSync(join(repository, file), "utf8");
      for (const [, title = ""] of titles.matchAll(/"([^"]+)"/g)) {
        expect(source.includes(`"${title}`), `${file}: ${title}`).toBe(true);
      }
    }
  });
});
