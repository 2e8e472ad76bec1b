// Builds the program of a checkout, once and again when the sources changed.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { claimBuild } from "./build-lock.js";
import { fail } from "./fail.js";

const appFolder = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(appFolder, "../..");
/** The program itself: the bundle, which starts sooner, or the files that it is made of, as a debugger wants them. */
export const mainFile = join(
  appFolder,
  process.env.OSTINATO_UNBUNDLED ? "dist/main.js" : "bundle/main.js",
);
const workFolder = join(root, ".nx");
/** Holds the fingerprint of the sources that the program was last built from. */
const stampFile = join(workFolder, "ostinato-built-from");

/** Folders of the packages in a checkout, such as `…/libs/run`. */
function packageFolders() {
  return ["libs", "apps"]
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
    .filter((folder) => existsSync(join(folder, "package.json")));
}

/** What the build reads, by path, size and time: quick, and a checkout of older files shows too. */
function sourceFingerprint() {
  const folders = packageFolders();
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
  files.push(join(appFolder, "rolldown.config.mjs"));
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

function isWhole() {
  return existsSync(mainFile) && packageFolders().every((one) => existsSync(join(one, "dist")));
}

function isFresh() {
  if (!isWhole() || !existsSync(stampFile)) return false;
  return readFileSync(stampFile, "utf8") === sourceFingerprint();
}

/** Notes that the program was built from the sources as they are. */
export function stampBuild(fingerprint = sourceFingerprint()) {
  mkdirSync(workFolder, { recursive: true });
  writeFileSync(stampFile, fingerprint);
}

/** Builds unless that is done; one process at a time, so that none finds half a program. */
export async function buildIfNeeded() {
  const isCheckout = existsSync(join(root, "nx.json"));
  if (isCheckout && isFresh()) return;
  const nx = isCheckout ? localNx() : undefined;
  if (nx === undefined) {
    if (existsSync(mainFile)) return;
    fail(1, "not built, and Nx is not installed to do it: run `npm ci` first");
  }
  let release;
  try {
    release = await claimBuild(workFolder, () => {
      process.stderr.write("ostinato: waiting for the build of another process …\n");
    });
  } catch (error) {
    // A checkout that cannot be written to is taken as it is, if it is built.
    if (isWhole()) return;
    fail(1, `not built, and ${workFolder} cannot be written to (${error.code ?? error.message})`);
  }
  const reason = isFresh() ? undefined : build(nx);
  release();
  if (reason !== undefined) fail(1, `the build failed:\n${reason}`);
}

/** @param {string} nx @returns {string | undefined} why it failed */
function build(nx) {
  const fingerprint = sourceFingerprint();
  process.stderr.write("ostinato: building (once, and again when the sources change) …\n");
  // Nx must not take this for a task of an Nx run that may be around it, as in the tests.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("NX_"));
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [nx, "run", "ostinato:bundle", "--output-style=static"],
    {
      cwd: root,
      env: { ...Object.fromEntries(inherited), NX_DAEMON: "false", NX_NO_CLOUD: "true" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (status !== 0) return [stdout, stderr, error?.message].filter(Boolean).join("\n").trim();
  try {
    stampBuild(fingerprint);
  } catch {
    // Without the stamp the next start builds again, which the cache makes quick.
  }
  return undefined;
}
