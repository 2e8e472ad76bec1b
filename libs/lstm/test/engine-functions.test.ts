/**
 * Whatever of the engine's arithmetic a worker's gradients may depend on is part of its numerics profile:
 * two workers of one profile cannot differ in it without being noticed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { ENGINE_FUNCTIONS } from "@ostinato/kernels/tensor";
import { expect, it } from "vitest";

/** One result everywhere, by ECMAScript: exact, or rounded as IEEE 754 says. */
const EXACT = [
  ...["abs", "ceil", "clz32", "floor", "fround", "imul", "max", "min", "round", "sign", "sqrt"],
  ...["trunc", "E", "LN2", "PI", "SQRT2"],
];

const libs = fileURLToPath(new URL("../..", import.meta.url));

function usesOfMath(library: string): ReadonlyMap<string, string> {
  const folder = join(libs, library, "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  expect(files.length).toBeGreaterThan(20);
  const uses = new Map<string, string>();
  for (const file of files) {
    const code = readFileSync(join(folder, file), "utf8").replace(/\/\*\*.*?\*\/|\/\/[^\n]*/gs, "");
    const names = [...code.matchAll(/\bMath\.(\w+)/g)].map(([, name]) => name!);
    const taken = [...code.matchAll(/\{([\w\s,]+)\} = Math\b/g)];
    names.push(...taken.flatMap(([, list]) => list!.split(",").map((name) => name.trim())));
    for (const name of names) uses.set(name, file);
  }
  return uses;
}

it.each(["lstm", "kernels"])("libs/%s takes nothing of Math that no profile covers", (library) => {
  const uses = usesOfMath(library);
  const covered = new Set<string>([...EXACT, ...ENGINE_FUNCTIONS]);
  expect([...uses].filter(([name]) => !covered.has(name))).toEqual([]);
  expect(uses.has("exp")).toBe(true);
});
