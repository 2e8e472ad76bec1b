import { describe, expect, it } from "vitest";

import type { Health } from "./examine.js";
import { findingsOf } from "./findings.js";
import { healthText } from "./text.js";

const WORKS = { trouble: null, isThreaded: false } as const;
const NOT_COMPILED = "the C++ kernels are not compiled; `npx nx run …` compiles them";

const sound: Health = {
  node: { version: "20.20.2", floor: "20.19 or a newer 20", isSupported: true },
  machine: {
    ...{ processor: "A processor", cores: 4, coreLimit: null },
    ...{ memoryBytes: 2 ** 34, memoryLimitBytes: null, freeMemoryBytes: 2 ** 33 },
  },
  backends: [
    { name: "native", ...WORKS, instructionSet: "avx2", isThreaded: true },
    { name: "wasm", ...WORKS, instructionSet: "simd" },
    { name: "cpu", ...WORKS, instructionSet: "JavaScript" },
  ],
  usedBackend: "native",
  speed: {
    ...{ threads: 1, matrixProductGflops: 81.25, matrixProductGflopsOnAll: 160.4 },
    ...{ lstmTokensPerSecond: 114_000, memoryBytesPerSecond: 12.3e9 },
  },
  compiler: "c++: c++ 12",
  loopback: { trouble: null },
  unixSocket: { trouble: null },
  runFolder: { folder: "/home/me/runs", trouble: null, syncMs: 1.5 },
};

const broken = { trouble: NOT_COMPILED, instructionSet: null, isThreaded: false };
const [, ...others] = sound.backends;
const withoutNative: Health = {
  ...sound,
  backends: [{ name: "native", ...broken }, ...others],
  usedBackend: "wasm",
};

describe("findingsOf", () => {
  it("finds nothing where all is well", () => {
    expect(findingsOf(sound)).toEqual({ problems: [], remarks: [] });
  });

  it.each<[string, Partial<Health>, RegExp]>([
    ["Node", { node: { ...sound.node, isSupported: false } }, /^Node .* not supported: use 20\.19/],
    [
      "every backend",
      { usedBackend: null, backends: [{ name: "cpu", ...broken, trouble: "gone" }] },
      /^no backend works \(cpu: gone\): install again/,
    ],
    ["loopback", { loopback: { trouble: "EACCES" } }, /^no port .*127\.0\.0\.1 \(EACCES\): /],
    [
      "the run directory",
      { runFolder: { folder: "/ro", trouble: "EROFS", syncMs: null } },
      /^no run can be kept in \/ro \(EROFS\): give --run-dir /,
    ],
  ])("calls it a problem when %s does not work, and says what to do", (_, broken, line) => {
    const { problems } = findingsOf({ ...sound, ...broken });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(line);
  });

  it("remarks what is lost without the C++ kernels, and how to get them", () => {
    const { problems, remarks } = findingsOf(withoutNative);
    expect(problems).toEqual([]);
    expect(remarks.join()).toMatch(/runs on wasm, .*: build them with `npx nx run/);
    const bare = findingsOf({ ...withoutNative, compiler: null });
    expect(bare.remarks.join()).toMatch(/: install a C\+\+ compiler \(.*\), then build with `npx/);
  });

  it("remarks limits of the container that would be run into", () => {
    const machine = { ...sound.machine, coreLimit: 1.5, memoryLimitBytes: 2 ** 29 };
    const { remarks } = findingsOf({ ...sound, machine });
    expect(remarks.join()).toMatch(/less than 1 GiB.*may take 1\.5 of 4 cores/);
  });

  it("remarks a temporary folder without Unix sockets", () => {
    const { problems, remarks } = findingsOf({ ...sound, unixSocket: { trouble: "EPERM" } });
    expect(problems).toEqual([]);
    expect(remarks.join()).toMatch(/\(EPERM\): local workers use loopback/);
  });
});

describe("healthText", () => {
  it.each([40, 80, 200])("keeps to a terminal of %d columns", (columns) => {
    for (const health of [sound, withoutNative]) {
      const lines = healthText(health, findingsOf(health), columns).split("\n");
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
    }
  });

  it("says which backend is used and why, and its speed", () => {
    const text = healthText(sound, findingsOf(sound), 200);
    expect(text).toMatch(/^Training can run here\.\n/);
    expect(text).toMatch(/ native +used, the fastest that works: C\+\+ kernels on avx2, 4 threads/);
    expect(text).toContain("81.3 GFLOP/s on 1 thread, 160 on 4");
    expect(text).toContain("114k tokens/s");
    expect(text).toContain("12.3 GB/s");
  });

  it("says that training can't run, and each problem last", () => {
    const ill = { ...sound, loopback: { trouble: "EACCES" } };
    const text = healthText(ill, findingsOf(ill), 200);
    expect(text).toMatch(/^Training can't run here: a problem\.\n/);
    expect(text).toMatch(/\nProblems\n {2}no port can be opened on 127\.0\.0\.1 .*\n$/);
  });
});
