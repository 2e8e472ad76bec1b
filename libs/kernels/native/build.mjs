/**
 * Compiles the kernels and the addon with the C++ compiler of this machine, without node-gyp and without a
 * download: Node-API's headers are an npm package. Where there is no compiler nothing is built, one line
 * says so, and the wasm backend serves.
 *
 *   node native/build.mjs [--test [--sanitize] [--run]]
 *
 * CXX names the compiler, CXXFLAGS adds flags. Writes native-build/ostinato-kernels.node, or with --test
 * the test program native-build/kernels-test, and with --run runs it.
 */

import { execFile } from "node:child_process";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";

import headers from "node-api-headers";

import { findCompiler } from "./compiler.mjs";

const run = promisify(execFile);
const SOURCE = import.meta.dirname;
const OUTPUT = join(SOURCE, "..", "native-build");

const FLAGS = ["-std=c++17", "-O3", "-fPIC", "-Wall", "-Wextra", "-fvisibility=hidden"];
// The bits are a promise: one rounding an operation, none of them fused or reordered by the compiler.
const EXACT = ["-ffp-contract=off", "-fno-fast-math", "-fno-math-errno"];
// gcc 12 warns of variables in its own intrinsics.
const QUIET = ["-Wno-maybe-uninitialized", "-Wno-uninitialized", "-Wno-unknown-warning-option"];
const SANITIZE = [
  // Lines for its reports, no variables: with -g the portable kernels take six times as long to compile.
  ...["-g1", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
  "-DOSTINATO_SMALL_TILES",
];

/** Each instruction set that this kind of processor may have: what compiles it. */
const INSTRUCTION_SETS = {
  x64: [
    { name: "AVX2", flags: ["-mavx2", "-mfma"] },
    {
      name: "AVX512",
      flags: ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma"],
    },
  ],
  arm64: [{ name: "NEON", flags: [] }],
};

const { values: options } = parseArgs({
  options: {
    test: { type: "boolean", default: false },
    sanitize: { type: "boolean", default: false },
    run: { type: "boolean", default: false },
  },
});

const compiler = await findCompiler();
if (compiler === undefined) {
  process.stdout.write(
    "ostinato: no C++ compiler was found (CXX, c++, g++, clang++): the native kernels are not built, " +
      "training uses the wasm backend, which is several times slower\n",
  );
  if (options.test) {
    say("ostinato: skipped: the test program of the native kernels needs the compiler");
    if (process.env.CI === "true") process.exitCode = 1;
  } else {
    await rm(join(OUTPUT, "ostinato-kernels.node"), { force: true });
  }
} else {
  const target = await build(compiler);
  if (options.test && options.run) {
    const { stdout } = await run(target, [], { maxBuffer: 2 ** 26 });
    say(stdout.trim());
  }
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

async function build(cxx) {
  // Apart: the addon may be built at the same time.
  const folder = join(OUTPUT, options.sanitize ? "sanitized" : options.test ? "tested" : "objects");
  await mkdir(folder, { recursive: true });
  const sets = INSTRUCTION_SETS[process.arch] ?? [];
  const common = [
    ...FLAGS,
    ...EXACT,
    ...QUIET,
    ...(options.sanitize ? SANITIZE : []),
    ...(process.env.CXXFLAGS ?? "").split(" ").filter(Boolean),
    `-I${join(SOURCE, "include")}`,
    `-I${join(SOURCE, "src")}`,
  ];
  const units = [
    { name: "portable", source: "src/table.cpp", flags: [] },
    ...sets.map(({ name, flags }) => ({
      name,
      source: "src/table.cpp",
      flags: [...flags, `-DOSTINATO_${name}`],
    })),
    {
      name: "kernel-table",
      source: "src/kernel-table.cpp",
      flags: sets.map(({ name }) => `-DOSTINATO_HAS_${name}`),
    },
    { name: "thread-pool", source: "src/thread-pool.cpp", flags: [] },
    { name: "precision", source: "src/precision.cpp", flags: [] },
    { name: "crc32", source: "src/crc32.cpp", flags: [] },
    ...(options.test
      ? (await readdir(join(SOURCE, "test")))
          .filter((file) => file.endsWith(".cpp"))
          .map((file) => ({ name: `test-${file}`, source: `test/${file}`, flags: [] }))
      : ["addon", "cell-bindings", "flat-bindings"].map((name) => ({
          name,
          source: `addon/${name}.cpp`,
          flags: [`-I${headers.include_dir}`],
        }))),
  ];
  const objects = await Promise.all(
    units.map(async ({ name, source, flags }) => {
      const object = join(folder, `${name}.o`);
      await run(cxx, [...common, ...flags, "-c", join(SOURCE, source), "-o", object]);
      return object;
    }),
  );
  const target = join(OUTPUT, options.test ? "kernels-test" : "ostinato-kernels.node");
  const shared =
    process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
  const link = options.test ? [] : shared;
  // Under another name first: a process may have the old one loaded, and a build may be interrupted.
  const temporary = `${target}.${process.pid}.tmp`;
  await run(cxx, [...common, ...link, ...objects, "-pthread", "-o", temporary]);
  await rename(temporary, target);
  return target;
}
