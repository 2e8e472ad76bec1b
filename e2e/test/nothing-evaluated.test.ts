/** No text or byte that came from elsewhere becomes code: what could make it so is in few places, each listed here. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { repository } from "./support/workspace.js";

/** Modules that run or start code, or make objects of bytes. */
const MODULES = ["child_process", "cluster", "module", "repl", "v8", "vm", "worker_threads"];
const GLOBALS = ["eval", "Function", "WebAssembly"];

/**
 * File → what it uses, and why that is safe:
 * - code is found by paths of this program, or by names of its own packages
 * - programs are started without a shell, with arguments of this program
 * - threads run files of this program
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "apps/cli/bin/build.js": ["child_process", "module"],
  "apps/cli/bin/ostinato.js": ["import()"],
  "apps/cli/src/cluster/child.ts": ["child_process"],
  // Sets a flag of the engine.
  "apps/cli/src/commands/training/heap-growth.ts": ["v8"],
  "apps/cli/src/health/compiler.ts": ["child_process"],
  "apps/coordinator/src/threads/answer-requests.ts": ["worker_threads"],
  "apps/coordinator/src/threads/work-thread.ts": ["worker_threads"],
  "apps/worker/src/training/compute-thread-main.ts": ["worker_threads"],
  "apps/worker/src/training/compute-thread.ts": ["v8", "worker_threads"],
  // Finds the folder of a package that a config names; loads nothing of it.
  "libs/data/src/text/npm-package.ts": ["module"],
  // Loads the one addon beside it.
  "libs/kernels/src/native-addon/load-addon.ts": ["module"],
};

/** The files that threads run; each is named in full, by what starts it. */
const THREADS: Readonly<Record<string, readonly string[]>> = {
  "apps/coordinator/src/compose-run.ts": [
    "./checkpoints/checkpoint-thread.js",
    "./steps/arithmetic-thread.js",
  ],
  "apps/worker/src/prepared-worker.ts": ["./training/compute-thread-main.js"],
};

/** What of a source could run code that is not its own, each once. */
function usesOf(name: string, text: string): readonly string[] {
  const uses = new Set<string>();
  const take = (module: ts.Node | undefined): void => {
    if (module === undefined || !ts.isStringLiteralLike(module)) return;
    const found = module.text.replace(/^node:/, "").split("/", 1)[0] ?? "";
    if (MODULES.includes(found)) uses.add(found);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      if (node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword) {
        take(node.moduleSpecifier);
      }
      return;
    }
    if (ts.isExportDeclaration(node)) take(node.moduleSpecifier);
    if (ts.isCallExpression(node)) {
      const [argument] = node.arguments;
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
        if (argument === undefined || !ts.isStringLiteralLike(argument)) uses.add("import()");
        take(argument);
      }
      const called = node.expression.getText();
      if (/(^|\.)(require|getBuiltinModule)$/.test(called)) take(argument);
      const [native] = /\bprocess\.(dlopen|binding)$/.exec(called) ?? [];
      if (native !== undefined) uses.add(native);
    }
    const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
    if (ts.isIdentifier(node) && GLOBALS.includes(node.text) && !isMember) uses.add(node.text);
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  ts.forEachChild(source, visit);
  return [...uses].sort();
}

/** Every source of what is installed and started; tests, tools and benchmarks are neither. */
function sources(): readonly string[] {
  return ["libs", "apps"].flatMap((parent) =>
    readdirSync(join(repository, parent)).flatMap((name) =>
      ["src", "bin"].flatMap((folder) => filesBelow(join(parent, name, folder))),
    ),
  );
}

function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.([cm]?ts|[cm]?js)$/.test(name) && !/\.test\.ts$/.test(name))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

const textOf = (file: string): string => readFileSync(join(repository, file), "utf8");

describe("the sources", () => {
  const found = sources()
    .map((file) => [file, usesOf(file, textOf(file))] as const)
    .filter(([, uses]) => uses.length > 0);

  it("evaluate nothing, and start what is their own where it is listed", () => {
    expect(Object.fromEntries(found)).toEqual(ALLOWED);
  });

  it("start threads of the files that are listed, and of no text", () => {
    const named = sources()
      .map((file) => {
        const paths = textOf(file).matchAll(/new URL\("([^"]+\.[cm]?js)", import\.meta\.url\)/g);
        return [file, [...paths].map(([, path]) => path).sort()] as const;
      })
      .filter(([, paths]) => paths.length > 0);
    expect(Object.fromEntries(named)).toEqual(THREADS);
    const starting = sources().filter((file) => /new Worker\(/.test(textOf(file)));
    expect(starting.sort()).toEqual([
      "apps/coordinator/src/threads/work-thread.ts",
      "apps/worker/src/training/compute-thread.ts",
    ]);
    for (const file of starting) expect(textOf(file)).not.toMatch(/\beval:/);
  });

  it("make no objects of bytes by the engine's own format", () => {
    for (const [file] of found) expect(textOf(file), file).not.toContain("deserialize(");
  });

  it("start no shell", () => {
    for (const [file, uses] of found) {
      if (!uses.includes("child_process")) continue;
      expect(textOf(file), file).not.toMatch(/\bshell:|\bexec(Sync)?\(/);
    }
  });
});

describe("this test", () => {
  it.each([
    ["eval('1')", ["eval"]],
    ["(0, eval)(text)", ["eval"]],
    ["new Function('return 1')", ["Function"]],
    ["const make = Function; make('1')", ["Function"]],
    ["globalThis.process.dlopen(x)", ["process.dlopen"]],
    ["process.dlopen(module, file)", ["process.dlopen"]],
    ["import { runInNewContext } from 'node:vm'", ["vm"]],
    ["import v8 from 'v8'", ["v8"]],
    ["export { deserialize } from 'node:v8'", ["v8"]],
    ["await import(name)", ["import()"]],
    ["await import('node:vm')", ["vm"]],
    ["require('node:child_process')", ["child_process"]],
    ["process.getBuiltinModule('worker_threads')", ["worker_threads"]],
    ["new WebAssembly.Module(bytes)", ["WebAssembly"]],
    ["import type { Worker } from 'node:worker_threads'", []],
    ["const a = text.eval + { Functional: 1 }.Functional", []],
  ])("finds what %s uses", (text, uses) => {
    expect(usesOf("planted.ts", text)).toEqual(uses);
  });
});
