/** The committed fixtures are what the committed scripts make; needs a Python with PyTorch. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { repository } from "./support/workspace.js";

function python(tool: string, ...args: string[]): { code: number | null; output: string } {
  const program = join(repository, "tools/fixtures", tool);
  const { status, stdout, stderr, error } = spawnSync("python3", [program, ...args], {
    encoding: "utf8",
  });
  if (error !== undefined) return { code: null, output: `python3 can't be run: ${error.message}` };
  return { code: status, output: `${stdout}${stderr}`.trim() };
}

describe("fixtures", () => {
  it("are what their scripts make, but for the rounding of another CPU", (context) => {
    const found = python("environment.py", "--find");
    if (found.code !== 0) context.skip(found.output);
    const { code, output } = python("check.py");
    expect(code, output).toBe(0);
    // One line a file, and none of them in vain.
    expect(output.match(/^(same|alike) /gm)?.length).toBeGreaterThanOrEqual(8);
  }, 900_000);

  it("are compared by a program that finds planted differences", (context) => {
    const { code, output } = python("check.py", "--self-test");
    if (code === null) context.skip(output);
    expect(code, output).toBe(0);
  });
});
