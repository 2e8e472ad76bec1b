/**
 * A disk that fails as it is told: preloaded into a process with `--import`, it stands before node:fs. The rules are
 * in the environment, each {calls, path, while, ...}: it applies to these calls on paths that match, as long as the
 * file `while` is there (always, without one), and then
 *
 * - `error`: fails with that code; `bytes`: only after so many bytes of a write
 * - `hold`: waits until the file `while` is gone
 * - `kill`: ends the process with SIGKILL, after `bytes` of a write
 *
 * `times`: no more often than that. Each time a rule applies a line is appended to the file `hits`.
 */
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";

const real = { ...fs };
const realPromises = { ...promises };
const rules = JSON.parse(process.env.OSTINATO_DISK_FAULTS ?? "[]");

const isActive = (rule) => rule.while === undefined || real.existsSync(rule.while);

/** The rule for a call, noted as applied; undefined: the call goes through. */
function ruleFor(call, path) {
  const rule = rules.find(
    (one) =>
      one.calls.includes(call) &&
      new RegExp(one.path).test(String(path)) &&
      (one.applied ?? 0) < (one.times ?? Infinity) &&
      isActive(one),
  );
  if (rule === undefined) return undefined;
  rule.applied = (rule.applied ?? 0) + 1;
  if (rule.hits !== undefined) {
    // By descriptor: appendFileSync would come here again.
    const file = real.openSync(rule.hits, "a");
    real.writeSync(file, `${call} ${path}\n`);
    real.closeSync(file);
  }
  return rule;
}

function errorOf({ error }, call, path) {
  return Object.assign(new Error(`${error}: ${call} '${path}'`), { code: error, syscall: call });
}

const tick = new Int32Array(new SharedArrayBuffer(4));

function applySync(call, path) {
  const rule = ruleFor(call, path);
  if (rule?.hold) while (isActive(rule)) Atomics.wait(tick, 0, 0, 5);
  if (rule?.kill) process.kill(process.pid, "SIGKILL");
  if (rule?.error !== undefined) throw errorOf(rule, call, path);
}

async function apply(call, path) {
  const rule = ruleFor(call, path);
  if (rule?.hold) {
    while (isActive(rule)) await sleep(5);
  }
  if (rule?.kill) process.kill(process.pid, "SIGKILL");
  if (rule?.error !== undefined) throw errorOf(rule, call, path);
}

const pathOf = new Map();

function patchSync() {
  for (const name of ["mkdir", "rename", "link"]) {
    fs[`${name}Sync`] = (from, ...rest) => {
      applySync(name, from);
      return real[`${name}Sync`](from, ...rest);
    };
  }
  fs.openSync = (path, ...rest) => {
    applySync("open", path);
    const file = real.openSync(path, ...rest);
    pathOf.set(file, String(path));
    return file;
  };
  fs.writeSync = (file, bytes, offset = 0, length = bytes.length - offset, position = null) => {
    const path = pathOf.get(file) ?? "";
    const rule = ruleFor("write", path);
    if (rule?.hold) while (isActive(rule)) Atomics.wait(tick, 0, 0, 5);
    if (rule?.bytes !== undefined) real.writeSync(file, bytes, offset, rule.bytes, position);
    if (rule?.kill) {
      process.kill(process.pid, "SIGKILL");
      Atomics.wait(tick, 0, 0, 60_000);
    }
    if (rule?.error !== undefined) throw errorOf(rule, "write", path);
    return real.writeSync(file, bytes, offset, length, position);
  };
  for (const name of ["fsync", "ftruncate", "futimes"]) {
    fs[`${name}Sync`] = (file, ...rest) => {
      applySync(name, pathOf.get(file) ?? "");
      return real[`${name}Sync`](file, ...rest);
    };
  }
  fs.fdatasync = (file, done) => {
    apply("fdatasync", pathOf.get(file) ?? "").then(() => real.fdatasync(file, done), done);
  };
}

function patchPromises() {
  for (const name of ["mkdir", "rename", "rm", "readFile", "copyFile"]) {
    promises[name] = async (path, ...rest) => {
      await apply(name, path);
      return realPromises[name](path, ...rest);
    };
  }
  promises.open = async (path, ...rest) => {
    await apply("open", path);
    const file = await realPromises.open(path, ...rest);
    const { writeFile, sync } = file;
    file.writeFile = async (...args) => {
      await apply("write", path);
      return writeFile.apply(file, args);
    };
    file.sync = async () => {
      await apply("fsync", path);
      return sync.apply(file);
    };
    return file;
  };
}

// The threads of a coordinator compute; it is its event loop that writes.
if (isMainThread && rules.length > 0) {
  patchSync();
  patchPromises();
  syncBuiltinESMExports();
}
