/** What is to be made of what was found: problems that keep training from running, and remarks. */

import type { Health } from "./examine.js";

/** One line each: what is wrong, and what to do. */
export interface Findings {
  /** Training can't run before these are mended. */
  readonly problems: readonly string[];
  /** Training runs; something could be better. */
  readonly remarks: readonly string[];
}

/** Below this, a coordinator and two workers on a small model are tight. */
const SMALL_MEMORY_BYTES = 2 ** 30;

export function findingsOf(health: Health): Findings {
  const problems: string[] = [];
  const remarks: string[] = [];
  const { node, backends, usedBackend, loopback, unixSocket, runFolder, machine } = health;
  if (!node.isSupported) {
    problems.push(`Node ${node.version} is not supported: use ${node.floor}`);
  }
  if (usedBackend === null) {
    const reasons = backends.map(({ name, trouble }) => `${name}: ${trouble ?? ""}`).join("; ");
    problems.push(`no backend works (${reasons}): install again with \`npm ci\``);
  }
  if (loopback.trouble !== null) {
    problems.push(
      `no port can be opened on 127.0.0.1 (${loopback.trouble}): coordinator and workers talk ` +
        "over it; allow it in the settings of the container, sandbox or firewall",
    );
  }
  if (runFolder.trouble !== null) {
    problems.push(
      `no run can be kept in ${runFolder.folder} (${runFolder.trouble}): give --run-dir a folder ` +
        "on a disk that you may write to, with space left, that knows fsync and rename",
    );
  }
  const native = backends.find(({ name }) => name === "native");
  if (native !== undefined && native.trouble !== null && usedBackend !== null) {
    remarks.push(nativeRemark(native.trouble, health));
  }
  if (unixSocket.trouble !== null) {
    remarks.push(
      `no Unix socket can be opened in the temporary folder (${unixSocket.trouble}): local ` +
        "workers use loopback; TMPDIR names another folder",
    );
  }
  const usableBytes = machine.memoryLimitBytes ?? machine.memoryBytes;
  if (usableBytes < SMALL_MEMORY_BYTES) {
    remarks.push("less than 1 GiB of memory: take few workers and a small model");
  }
  if (machine.coreLimit !== null && machine.coreLimit < machine.cores) {
    remarks.push(
      `the container may take ${round(machine.coreLimit)} of ${machine.cores} cores: more threads ` +
        "or workers than that wait for each other",
    );
  }
  return { problems, remarks };
}

/** Whether the native backend is missing for no other reason than that it was not compiled. */
export const isNotBuilt = (trouble: string): boolean => trouble.includes("are not compiled");

/** What is lost, and how to mend it. */
function nativeRemark(trouble: string, { compiler, usedBackend }: Health): string {
  const lost =
    `without the C++ kernels training runs on ${usedBackend ?? ""}, several times slower, and ` +
    "the coordinator sums and updates more slowly";
  if (!isNotBuilt(trouble)) return `${lost}: ${trouble}`;
  const how =
    compiler === null
      ? "install a C++ compiler (on Debian `apt-get install g++`, on macOS `xcode-select --install`), then build"
      : "build them";
  return `${lost}: ${how} with \`npx nx run @ostinato/kernels:native\``;
}

const round = (value: number): string => String(Math.round(100 * value) / 100);
