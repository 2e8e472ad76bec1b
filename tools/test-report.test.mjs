import { describe, expect, it } from "vitest";

import { summarize } from "./test-report.mjs";

/** A report of one file whose tests have the given states. */
function reportOf(...states) {
  const failed = states.includes("failed");
  return {
    testResults: [
      {
        name: "a.test.ts",
        status: failed ? "failed" : "passed",
        message: "",
        assertionResults: states.map((status, i) => ({ status, fullName: `test ${i}`, meta: {} })),
      },
    ],
  };
}

function task(project, target, status = 0) {
  return { taskId: `${project}:${target}`, projectName: project, target, status };
}

function summary({ tasks, reports = {}, expected = tasks.map(({ taskId }) => taskId), ...rest }) {
  return summarize({
    expected,
    tasks,
    reports: new Map(Object.entries(reports)),
    skippedFails: false,
    ...rest,
  });
}

describe("the counts of a run", () => {
  it("are those of all reports together", () => {
    const { passed, failed } = summary({
      tasks: [task("a", "test"), task("b", "test", 1), task("a", "lint")],
      reports: { a: reportOf("passed", "passed"), b: reportOf("passed", "failed", "failed") },
    });
    expect({ passed, failed }).toEqual({ passed: 3, failed: 2 });
  });

  it("say what a failed test said, without colours and its stack", () => {
    const report = reportOf("passed", "failed");
    report.testResults[0].assertionResults[1].failureMessages = [
      "\u001b[31mno\u001b[39m\n\nbecause\n    at a:1\n    at b:2",
    ];
    const { lines } = summary({ tasks: [task("a", "test", 1)], reports: { a: report } });
    expect(lines).toEqual(["failed   a: test 1: no\n           because"]);
  });

  it("say the first and the last lines of a long text", () => {
    const report = reportOf("failed");
    const text = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n");
    report.testResults[0].assertionResults[0].failureMessages = [`${text}\n    at a:1`];
    const { lines } = summary({ tasks: [task("a", "test", 1)], reports: { a: report } });
    expect(lines[0]).toMatch(/^failed {3}a: test 0: line 0\n +…\n +line 28\n[^]* line 39$/);
  });

  it("have one failure for each failed check that is no test, by its name", () => {
    const { failed, lines } = summary({
      tasks: [task("a", "test"), task("a", "lint", 1), task("b", "typecheck", 2)],
      reports: { a: reportOf("passed") },
    });
    expect(failed).toBe(2);
    expect(lines).toEqual(["failed   nx run a:lint", "failed   nx run b:typecheck"]);
  });

  it("have a failure for a test file that could not be loaded", () => {
    const broken = {
      testResults: [
        { name: "b.test.ts", status: "failed", message: "no such\nmodule", assertionResults: [] },
      ],
    };
    const { failed, lines } = summary({ tasks: [task("b", "test", 1)], reports: { b: broken } });
    expect(failed).toBe(1);
    expect(lines).toEqual(["failed   b: b.test.ts: no such"]);
  });

  it("have a failure for a test task that failed though all its tests passed", () => {
    const { passed, failed } = summary({
      tasks: [task("a", "test", 1)],
      reports: { a: reportOf("passed") },
    });
    expect({ passed, failed }).toEqual({ passed: 1, failed: 1 });
  });

  it("have a failure for a test task that left no report", () => {
    expect(summary({ tasks: [task("a", "test")] }).failed).toBe(1);
  });

  it("name the tasks that did not run because another failed", () => {
    const { failed, lines } = summary({
      tasks: [task("a", "build", 1)],
      expected: ["a:build", "a:test"],
    });
    expect(failed).toBe(1);
    expect(lines).toContain("not run  nx run a:test");
  });

  it("have a failure for a task that neither ran nor was held up by a failure", () => {
    expect(summary({ tasks: [], expected: ["a:test"] }).failed).toBe(1);
  });

  it("leave skipped tests out, whose reasons are told, unless they are to fail", () => {
    const report = reportOf("passed", "skipped");
    report.testResults[0].assertionResults[1].meta.skipReason = "needs a GPU";
    const run = { tasks: [task("a", "test")], reports: { a: report } };
    expect(summary(run)).toMatchObject({ passed: 1, failed: 0 });
    expect(summary(run).lines).toContain("skipped  a: test 1: needs a GPU");
    expect(summary({ ...run, skippedFails: true })).toMatchObject({ passed: 1, failed: 1 });
  });
});
