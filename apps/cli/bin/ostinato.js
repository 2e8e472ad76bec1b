#!/usr/bin/env node
// The committed launcher: it is there before any build, and builds when the sources changed.
import { pathToFileURL } from "node:url";

import { buildIfNeeded, mainFile } from "./build.js";
import { fail } from "./fail.js";

function checkNodeVersion() {
  const { node } = process.versions;
  const [major, minor] = node.split(".").map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 13)) return;
  fail(2, `Node ${node} is not supported: use 20.19 or a newer 20, or 22.13 or a newer 22`);
}

checkNodeVersion();
await buildIfNeeded();
await import(pathToFileURL(mainFile).href);
