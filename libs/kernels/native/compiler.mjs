/**
 * The C++ compiler of this machine. As a program it prints what tells it from another one, for a build's
 * cache.
 */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The name of a compiler that starts, or undefined. */
export async function findCompiler() {
  const wanted = process.env.CXX;
  for (const name of wanted === undefined ? ["c++", "g++", "clang++"] : [wanted]) {
    if ((await versionOf(name)) !== undefined) return name;
  }
  return undefined;
}

async function versionOf(name) {
  try {
    return (await run(name, ["--version"])).stdout.split("\n", 1)[0];
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await findCompiler();
  const version = found === undefined ? "none" : await versionOf(found);
  const facts = [found, version, process.arch, process.platform, process.env.CXXFLAGS ?? ""];
  process.stdout.write(`${facts.join(" ")}\n`);
}
