/** The C++ compiler that the native kernels would be built with. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Asks the build of the kernels itself; undefined: there is no compiler, or no sources to compile. */
export async function findCompiler(): Promise<string | undefined> {
  const door = import.meta.resolve("@ostinato/kernels");
  // From dist/index.js and from src/index.ts alike.
  const program = fileURLToPath(new URL("../native/compiler.mjs", door));
  if (!existsSync(program)) return undefined;
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  // Its command, its version line, and then what else tells one build from another.
  const [told = ""] = stdout.split(` ${process.arch} `);
  const [command = "", ...version] = told.split(" ");
  return command === "none" || command === "" ? undefined : `${command}: ${version.join(" ")}`;
}
