/** What was found, for people: sections of lines that fit a terminal. */

import type { BackendCheck } from "./backends.js";
import type { Health } from "./examine.js";
import { isNotBuilt } from "./findings.js";
import type { Findings } from "./findings.js";
import type { Machine } from "./machine.js";
import { PRODUCT, STEP } from "./speed.js";
import type { Speed } from "./speed.js";

type Row = readonly [label: string, text: string];

const LABEL_WIDTH = 18;
const NARROWEST = 40;

/** @param columns of the terminal */
export function healthText(health: Health, findings: Findings, columns: number): string {
  const width = Math.max(NARROWEST, columns);
  const { problems, remarks } = findings;
  const sections: readonly (readonly [string, readonly Row[]])[] = [
    ["Backends", [...health.backends.map((backend) => backendRow(backend, health)), ...GPU_ROWS]],
    [
      `Speed${health.usedBackend === null ? "" : ` of ${health.usedBackend}`}`,
      health.speed === null ? [] : speedRows(health.speed, health.machine),
    ],
    ["Machine", machineRows(health)],
    ["Files and ports", placeRows(health)],
    ["Remarks", remarks.map((remark): Row => ["", remark])],
    ["Problems", problems.map((problem): Row => ["", problem])],
  ];
  const lines = sections
    .filter(([, rows]) => rows.length > 0)
    .flatMap(([title, rows]) => ["", title, ...rows.flatMap((row) => rowLines(row, width))]);
  return [verdict(problems.length), ...lines, ""].join("\n");
}

function verdict(numProblems: number): string {
  if (numProblems === 0) return "Training can run here.";
  return `Training can't run here: ${numProblems === 1 ? "a problem" : `${numProblems} problems`}.`;
}

/** The optional backends of the design, as this version has them. */
const GPU_ROWS: readonly Row[] = [
  ["tensorflow", "not part of this version: tfjs-node-gpu is not used yet"],
  ["webgpu", "not part of this version"],
];

const KERNELS = {
  native: "C++ kernels on",
  "native-bfloat16": "for a run that asks for it, products in bfloat16, C++ kernels on",
  wasm: "WebAssembly,",
  cpu: "the slow reference in",
} as const;

function backendRow(backend: BackendCheck, { usedBackend, machine }: Health): Row {
  const { name, trouble, instructionSet, isThreaded } = backend;
  if (trouble !== null) return [name, troubleText(trouble)];
  const isUsed = name === usedBackend;
  const why = isUsed ? "used, the fastest that works" : "works";
  const threads =
    isThreaded && machine.cores > 1
      ? `${machine.cores} threads for a lone worker, 1 each in a local cluster`
      : "1 thread";
  return [name, `${why}: ${KERNELS[name]} ${instructionSet ?? ""}, ${threads}`];
}

/** How to build the kernels is a remark. */
const troubleText = (trouble: string): string =>
  isNotBuilt(trouble) ? "not built: see the remarks" : `does not work: ${trouble}`;

function speedRows(speed: Speed, { cores }: Machine): readonly Row[] {
  const { matrixProductGflops, matrixProductGflopsOnAll: onAll } = speed;
  const { rows, inner, columns } = PRODUCT;
  return [
    [
      "matrix product",
      `${short(matrixProductGflops)} GFLOP/s on 1 thread` +
        (onAll === null ? "" : `, ${short(onAll)} on ${cores}`) +
        ` (${rows}×${inner}×${columns})`,
    ],
    [
      "LSTM step",
      `${short(speed.lstmTokensPerSecond / 1000)}k tokens/s on 1 thread (1 layer of ` +
        `${STEP.hiddenSize}, ${STEP.numRows} rows of ${STEP.numSteps}, with optimizer)`,
    ],
    ["memory", `${short(speed.memoryBytesPerSecond / 1e9)} GB/s, copying (read and written)`],
  ];
}

function machineRows({ node, machine, compiler }: Health): readonly Row[] {
  const { processor, cores, coreLimit, memoryBytes, memoryLimitBytes, freeMemoryBytes } = machine;
  return [
    ["Node", `${node.version}${node.isSupported ? "" : ", not supported"} (needs ${node.floor})`],
    ["processor", processor],
    [
      "cores",
      `${cores}` +
        (coreLimit === null ? "" : `, of which the container may take ${short(coreLimit)}`),
    ],
    [
      "memory",
      `${gibibytes(memoryBytes)}, ${gibibytes(freeMemoryBytes)} free` +
        (memoryLimitBytes === null
          ? ""
          : `; the container may take ${gibibytes(memoryLimitBytes)}`),
    ],
    ["C++ compiler", compiler ?? "none"],
  ];
}

function placeRows({ loopback, unixSocket, runFolder }: Health): readonly Row[] {
  const told = (trouble: string | null): string =>
    trouble === null ? "can be opened" : `can't be opened: ${trouble}`;
  const { folder, trouble, syncMs } = runFolder;
  return [
    ["loopback port", told(loopback.trouble)],
    ["Unix socket", told(unixSocket.trouble)],
    [
      "run directory",
      trouble === null
        ? `fsync and rename work in ${folder} (${short(syncMs ?? 0)} ms a file)`
        : `does not work: ${trouble}`,
    ],
  ];
}

function rowLines([label, text]: Row, width: number): readonly string[] {
  const start = label === "" ? "  " : `  ${label.padEnd(LABEL_WIDTH - 2)}`;
  const indent = label === "" ? "    " : " ".repeat(start.length);
  return wrap(text, width - indent.length).map((line, index) =>
    index === 0 ? start + line : indent + line,
  );
}

/** Words longer than a line, such as paths, keep a line to themselves. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

const gibibytes = (bytes: number): string => `${short(bytes / 2 ** 30)} GiB`;

/** Three significant digits, and no exponent. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
