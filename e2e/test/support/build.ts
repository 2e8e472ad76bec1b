import { execFileSync } from "node:child_process";

import { launcher } from "./workspace.js";

/** Lets the launcher build once, before the tests: what it says then is no part of any answer. */
export function setup(): void {
  execFileSync(process.execPath, [launcher, "--help"], { stdio: "ignore" });
}
