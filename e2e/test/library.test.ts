/** The library by itself: what the README shows is a program that trains without any cluster. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { repository } from "./support/workspace.js";

it("trains a forecaster in about 20 lines, with tensors in and out", async () => {
  const program = join(repository, "examples/library/forecast-sine.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: repository });
  const errors = [...stdout.matchAll(/mean squared error ([\d.]+)/g)].map(([, error]) =>
    Number(error),
  );
  expect(stdout).toMatch(/^step 50: .*\nstep 100: .*\nstep 150: .*\na stretch it never saw: .*\n$/);
  const [first = NaN, second = NaN, third = NaN, unseen = NaN] = errors;
  expect(second).toBeLessThan(first);
  expect(third).toBeLessThan(second);
  // A sine has a mean square of 0.5.
  expect(unseen).toBeLessThan(0.02);
}, 60_000);
