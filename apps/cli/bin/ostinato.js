#!/usr/bin/env node
// The committed launcher: it is there before any build, and builds when the sources changed.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const appFolder = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(appFolder, "../..");
const mainFile = join(appFolder, "dist/main.js");
/** Holds the fingerprint of the sources that `dist` was last built from. */
const stampFile = join(root, ".nx/ostinato-built-from");

/** @param {number} exitCode @param {string} line @returns {never} */
function fail(exitCode, line) {
  process.stderr.write(`ostinato: ${line}\n`);
  process.exit(exitCode);
}

function checkNodeVersion() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 13)) return;
  fail(
    2,
    `Node ${process.versions.node} is not supported: use 20.19 or a newer 20, or 22.13 or a newer 22`,
  );
}

/** Folders of the packages in a checkout, such as `…/libs/run`. */
function packageFolders() {
  return ["libs", "apps"]
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
    .filter((folder) => existsSync(join(folder, "package.json")));
}

/** What the build reads, by path, size and time: quick, and a checkout of older files shows too. */
function sourceFingerprint(folders) {
  const hash = createHash("sha256");
  const files = folders.flatMap((folder) =>
    ["src", "proto", "tools"].flatMap((part) => {
      const partFolder = join(folder, part);
      if (!existsSync(partFolder)) return [];
      return readdirSync(partFolder, { recursive: true }).map((name) => join(partFolder, name));
    }),
  );
  const settings = ["package-lock.json", "tsconfig.base.json", "nx.json"];
  files.push(...settings.map((name) => join(root, name)));
  files.push(...folders.map((folder) => join(folder, "tsconfig.json")));
  for (const file of files.sort()) {
    const entry = statSync(file, { throwIfNoEntry: false });
    if (entry?.isFile()) hash.update(`${file}\0${entry.size}\0${entry.mtimeMs}\n`);
  }
  return hash.digest("hex");
}

/** The local Nx, or undefined where there is none, as in an image that has the build alone. */
function localNx() {
  try {
    return createRequire(join(root, "package.json")).resolve("nx/bin/nx.js");
  } catch {
    return undefined;
  }
}

function buildIfNeeded() {
  const isBuilt = existsSync(mainFile);
  const nx = existsSync(join(root, "nx.json")) ? localNx() : undefined;
  if (nx === undefined) {
    if (!isBuilt) fail(1, "not built, and Nx is not installed to do it: run `npm ci` first");
    return;
  }
  const folders = packageFolders();
  const fingerprint = sourceFingerprint(folders);
  const isWhole = isBuilt && folders.every((folder) => existsSync(join(folder, "dist")));
  if (isWhole && existsSync(stampFile) && readFileSync(stampFile, "utf8") === fingerprint) return;

  process.stderr.write("ostinato: building (once, and again when the sources change) …\n");
  // Nx must not take this for a task of an Nx run that may be around it, as in the tests.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("NX_"));
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [nx, "run", "ostinato:build", "--output-style=static"],
    {
      cwd: root,
      env: { ...Object.fromEntries(inherited), NX_DAEMON: "false", NX_NO_CLOUD: "true" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (status !== 0) {
    const reason = [stdout, stderr, error?.message].filter(Boolean).join("\n").trim();
    fail(1, `the build failed:\n${reason}`);
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, fingerprint);
}

checkNodeVersion();
buildIfNeeded();
await import(pathToFileURL(mainFile).href);
