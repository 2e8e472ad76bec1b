import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What may not be written, and the rule that says so. */
const plants = [
  {
    title: "an import from a lib into an app",
    file: "libs/data/src/planted-upward.ts",
    source: `import '@ostinato/worker';`,
    violation: "libs-import-no-app: libs/data/src/planted-upward.ts → apps/worker/src/index.ts",
  },
  {
    title: "an import between libs that stand alone",
    file: "libs/runtime/src/planted-sideways.ts",
    source: `import type { VerifyReport } from '@ostinato/run';\nexport type Planted = VerifyReport;`,
    violation:
      "kernels-data-proto-runtime-stand-alone: libs/runtime/src/planted-sideways.ts → libs/run/src/index.ts",
  },
  {
    title: "TensorFlow in the coordinator, however far away",
    file: "apps/coordinator/src/planted-tensor.ts",
    source: `import { createLanguageModel } from '@ostinato/lstm/model';\nexport const planted = createLanguageModel;`,
    violation:
      "coordinator-loads-no-tensorflow: apps/coordinator/src/planted-tensor.ts → libs/kernels/src/tensor/index.ts",
  },
  {
    title: "a deep import by the name of the package",
    file: "apps/worker/src/planted-deep.ts",
    source: `import '@ostinato/run/src/planted-room/inside.js';`,
    violation:
      "no-unresolvable: apps/worker/src/planted-deep.ts → @ostinato/run/src/planted-room/inside.js",
  },
  {
    title: "a deep import by a relative path",
    file: "apps/worker/src/planted-relative.ts",
    source: `import '../../../libs/run/src/planted-room/inside.js';`,
    violation:
      "packages-through-their-doors: apps/worker/src/planted-relative.ts → libs/run/src/planted-room/inside.ts",
  },
  {
    title: "a room entered past its door",
    file: "libs/run/src/planted-window.ts",
    source: `import './planted-room/inside.js';`,
    violation:
      "rooms-through-their-doors-from-above: libs/run/src/planted-window.ts → libs/run/src/planted-room/inside.ts",
  },
  {
    title: "a room within a room entered past its door",
    file: "libs/kernels/src/tensor/planted-inner-window.ts",
    source: `import './wasm/wasm-heap.js';`,
    violation:
      "rooms-within-rooms-through-their-doors-from-outside: libs/kernels/src/tensor/planted-inner-window.ts → libs/kernels/src/tensor/wasm/wasm-heap.ts",
  },
  {
    title: "a cycle",
    file: "libs/run/src/planted-room/inside.ts",
    source: `import './around.js';\nexport const inside = 1;`,
    violation: "no-cycle: libs/run/src/planted-room/",
  },
  {
    title: "generated messages outside the codec",
    file: "libs/proto/src/planted-message.ts",
    source: `import '../generated/coordinator.js';`,
    violation:
      "generated-messages-stop-at-the-codec: libs/proto/src/planted-message.ts → libs/proto/generated/coordinator",
  },
  {
    title: "a test imported by a source",
    file: "libs/data/src/planted-test-user.ts",
    source: `import './planted.test.js';`,
    violation:
      "tests-are-not-imported: libs/data/src/planted-test-user.ts → libs/data/src/planted.test.ts",
  },
  {
    title: "an import from one app into another",
    file: "apps/worker/src/planted-neighbour.ts",
    source: `import '@ostinato/coordinator';`,
    violation:
      "apps-import-no-app: apps/worker/src/planted-neighbour.ts → apps/coordinator/src/index.ts",
  },
  {
    title: "another lib in the learning",
    file: "libs/lstm/src/planted-lib.ts",
    source: `import '@ostinato/runtime';`,
    violation:
      "lstm-imports-kernels-alone: libs/lstm/src/planted-lib.ts → libs/runtime/src/index.ts",
  },
  {
    title: "the wire in run directories",
    file: "libs/run/src/planted-wire.ts",
    source: `import '@ostinato/proto';`,
    violation:
      "run-imports-lstm-and-data-alone: libs/run/src/planted-wire.ts → libs/proto/src/index.ts",
  },
  {
    title: "files in the learning",
    file: "libs/lstm/src/planted-files.ts",
    source: `import { readFileSync } from 'node:fs';\nexport const planted = readFileSync;`,
    violation: "learning-knows-no-files-and-no-network: libs/lstm/src/planted-files.ts → fs",
  },
  {
    title: "TensorFlow in run directories",
    file: "libs/run/src/planted-tensor.ts",
    source: `import { createLanguageModel } from '@ostinato/lstm/model';\nexport const planted = createLanguageModel;`,
    violation:
      "run-loads-no-tensorflow: libs/run/src/planted-tensor.ts → libs/lstm/src/model/index.ts",
  },
  {
    title: "a relative path into another package's door",
    file: "apps/worker/src/planted-door.ts",
    source: `import '../../../libs/run/src/index.js';`,
    violation: "packages-by-name: apps/worker/src/planted-door.ts → libs/run/src/index.ts",
  },
  {
    title: "a package's own front door",
    file: "libs/data/src/planted-own-door.ts",
    source: `import './index.js';`,
    violation:
      "not-through-ones-own-front-door: libs/data/src/planted-own-door.ts → libs/data/src/index.ts",
  },
  {
    title: "a process's main, past the door",
    file: "apps/worker/src/planted-main.ts",
    source: `import './main.js';`,
    violation:
      "main-is-imported-by-the-door-alone: apps/worker/src/planted-main.ts → apps/worker/src/main.ts",
  },
  {
    title: "an end-to-end test that goes around a door",
    file: "e2e/test/planted-window.ts",
    source: `import '../../libs/run/src/planted-room/inside.js';`,
    violation:
      "e2e-through-the-doors: e2e/test/planted-window.ts → libs/run/src/planted-room/inside.ts",
  },
  {
    title: "a benchmark that goes around a door",
    file: "bench/src/planted-window.ts",
    source: `import '../../libs/run/src/planted-room/inside.js';`,
    violation:
      "e2e-through-the-doors: bench/src/planted-window.ts → libs/run/src/planted-room/inside.ts",
  },
  {
    title: "a benchmark in an app",
    file: "apps/worker/src/planted-bench.ts",
    source: `import '../../../bench/src/rows/index.js';`,
    violation: "nobody-imports-e2e: apps/worker/src/planted-bench.ts → bench/src/rows/index.ts",
  },
  {
    title: "a dependency that the package does not declare",
    file: "libs/runtime/src/planted-undeclared.ts",
    source: `import 'commander';`,
    violation: "declared-dependencies-only: libs/runtime/src/planted-undeclared.ts → ",
  },
] as const;

const bystanders = {
  "libs/run/src/planted-room/around.ts": `import './inside.js';\nexport const around = 1;`,
  "libs/data/src/planted.test.ts": `export const planted = 1;`,
};

let copy = "";

/** The command that `nx boundaries` runs, in the copy. */
function checkBoundaries(): { readonly status: number | null; readonly output: string } {
  const nx = JSON.parse(readFileSync(join(root, "nx.json"), "utf8")) as {
    targetDefaults: { boundaries: { options: { command: string } } };
  };
  const [program, tool = "", ...args] = nx.targetDefaults.boundaries.options.command.split(" ");
  expect(program).toBe("node");
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, tool), ...args], {
    cwd: copy,
    encoding: "utf8",
  });
  // Nx forces colours on what it runs, and so on this test.
  return { status, output: stripVTControlCharacters(`${stdout}${stderr}`) };
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "ostinato-boundaries-"));
  const left = new Set([
    "node_modules",
    "dist",
    "bundle",
    "reports",
    "runs",
    "coverage",
    "fixtures",
  ]);
  for (const name of [
    "libs",
    "apps",
    "e2e",
    "bench",
    "chaos",
    "tools",
    "package.json",
    ".dependency-cruiser.cjs",
    "vitest.base.ts",
  ]) {
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !left.has(path.split("/").at(-1) ?? ""),
    });
  }
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name === "@ostinato" || name === "ostinato" || name.startsWith(".")) continue;
    link(join(root, "node_modules", name), join(copy, "node_modules", name));
  }
  for (const folder of ["libs", "apps"]) {
    for (const name of readdirSync(join(copy, folder))) {
      const installed = name === "cli" ? "ostinato" : `@ostinato/${name}`;
      link(join(copy, folder, name), join(copy, "node_modules", installed));
      if (readdirSync(join(root, folder, name)).includes("node_modules")) {
        link(join(root, folder, name, "node_modules"), join(copy, folder, name, "node_modules"));
      }
    }
  }
});

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

describe("the import directions", () => {
  it("hold in the sources as they are", () => {
    expect(checkBoundaries()).toEqual({
      status: 0,
      output: expect.stringContaining("no dependency violations found"),
    });
  });

  describe("are broken by", () => {
    let planted: ReturnType<typeof checkBoundaries>;

    beforeAll(() => {
      for (const { file, source } of plants) {
        mkdirSync(dirname(join(copy, file)), { recursive: true });
        writeFileSync(join(copy, file), source);
      }
      for (const [file, source] of Object.entries(bystanders)) {
        writeFileSync(join(copy, file), source);
      }
      planted = checkBoundaries();
    });

    it("what is planted here, so that the check fails", () => {
      expect(planted.status).toBe(1);
    });

    it.each(plants)("$title", ({ violation }) => {
      expect(planted.output).toContain(violation);
    });
  });
});
