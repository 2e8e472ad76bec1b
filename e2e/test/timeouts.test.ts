/** The list of time-outs cannot lie: nothing in the sources waits for a time that is not in it. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { describeTimeouts } from "@ostinato/runtime/timeouts";
import ts from "typescript";
import { describe, expect, it } from "vitest";

import { repository } from "./support/workspace.js";

/** Calls whose argument at this place is a time to wait, in milliseconds. */
const WAITS: Readonly<Record<string, number>> = {
  setTimer: 0,
  setTimeout: 1,
  setInterval: 1,
  timeout: 0, // AbortSignal's
  waitMs: 1,
};

/** Names of what holds such a time: `LEAVE_MS`, `intervalMs`, gRPC's and Node's own options. */
const HOLDS_A_TIME =
  /^[A-Z][A-Z_]*_MS$|^[a-z][A-Za-z]*Ms$|^grpc\..*_ms$|^(?:headers|request|keepAlive)Timeout$|[tT]imeoutSeconds$/;

/** What is a pace or a window, and ends nothing and waits for nobody. */
const NO_TIMEOUTS = new Map([
  ["apps/cli/src/progress/plain-view.ts: PLAIN_PACE_MS", "how often progress is printed"],
  ["libs/runtime/src/ops/event-loop-lag.ts: WINDOW_MS", "what a gauge looks back on"],
  ["libs/runtime/src/ops/event-loop-lag.ts: RESOLUTION_MS", "how finely it looks"],
  ["libs/runtime/src/clock/clock.ts: LONGEST_DELAY_MS", "the most that setTimeout can count"],
]);

const TABLE = "libs/runtime/src/timeouts/";

function sources(): readonly string[] {
  const roots = [
    ...["coordinator", "worker", "cli"].map((name) => `apps/${name}/src`),
    ...["runtime", "proto", "run", "data"].map((name) => `libs/${name}/src`),
  ];
  return roots
    .flatMap((root) =>
      readdirSync(join(repository, root), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name))
        .map((entry) => relative(repository, join(entry.parentPath, entry.name))),
    )
    .filter((file) => !file.endsWith(".test.ts") && !file.startsWith(TABLE));
}

/** Whether the value of an expression comes from a number that is written in it. */
function hasNumber(node: ts.Node): boolean {
  if (ts.isNumericLiteral(node)) return node.text !== "0" && node.text !== "1";
  // A number elsewhere in it, as an index or an argument, is no time.
  if (ts.isCallExpression(node)) return node.arguments.some(hasNumber);
  if (ts.isBinaryExpression(node)) {
    // Of seconds to milliseconds and back.
    const isUnit = [node.left, node.right].some(
      (side) => ts.isNumericLiteral(side) && side.text === "1000",
    );
    if (isUnit) return [node.left, node.right].every(hasNumber);
    return hasNumber(node.left) || hasNumber(node.right);
  }
  if (ts.isParenthesizedExpression(node) || ts.isPrefixUnaryExpression(node)) {
    return node.getChildren().some(hasNumber);
  }
  return (
    ts.isConditionalExpression(node) && (hasNumber(node.whenTrue) || hasNumber(node.whenFalse))
  );
}

function nameOf(node: ts.Node): string {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isStringLiteral(node) || ts.isNumericLiteral(node)) return node.text;
  return ts.isIdentifier(node) || ts.isPrivateIdentifier(node) ? node.text : "";
}

/** Every time that is written in a text, as `name` or `call(…)`. */
function writtenTimes(file: string, text: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const name = nameOf(node.expression);
      const delay = node.arguments[WAITS[name] ?? NaN];
      if (delay !== undefined && hasNumber(delay)) found.push(`${name}(…)`);
    }
    const isNamed =
      ts.isVariableDeclaration(node) ||
      ts.isPropertyAssignment(node) ||
      ts.isPropertyDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isParameter(node);
    if (isNamed && node.initializer !== undefined) {
      const name = nameOf(node.name);
      if (HOLDS_A_TIME.test(name) && hasNumber(node.initializer)) found.push(name);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

describe("the sources", () => {
  it("wait for no time but those of the table", () => {
    const found = sources().flatMap((file) =>
      writtenTimes(file, readFileSync(join(repository, file), "utf8")).map(
        (name) => `${file}: ${name}`,
      ),
    );
    expect(found.filter((each) => !NO_TIMEOUTS.has(each))).toEqual([]);
    // Nor is there an exception that nothing needs.
    expect([...NO_TIMEOUTS.keys()].filter((each) => !found.includes(each))).toEqual([]);
  });

  it("use every time of the table", () => {
    const all = sources()
      .map((file) => readFileSync(join(repository, file), "utf8"))
      .join("\n");
    const unused = describeTimeouts(1000)
      .map(({ name }) => name)
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(all));
    expect(unused).toEqual([]);
  });
});

describe("this test", () => {
  it("sees a time wherever it is written", () => {
    for (const [text, expected] of [
      ["clock.setTimer(5000, go)", ["setTimer(…)"]],
      ["setTimeout(go, Math.min(deadlineMs, 5_000))", ["setTimeout(…)"]],
      ["AbortSignal.timeout(deadlineMs / 3)", ["timeout(…)"]],
      ["const LEAVE_MS = 10_000;", ["LEAVE_MS"]],
      ["const f = ({ limitMs = 500 }) => limitMs;", ["limitMs"]],
      ['const o = { "grpc.keepalive_time_ms": 20 * 1000 };', ["grpc.keepalive_time_ms"]],
      ["const o = { headersTimeout: 9000 };", ["headersTimeout"]],
      ["clock.setTimer(leaseMs, go); const deadlineMs = Math.round(1000 * seconds);", []],
    ] as const) {
      expect(writtenTimes("x.ts", text), text).toEqual(expected);
    }
  });
});
