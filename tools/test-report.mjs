import { stripVTControlCharacters } from "node:util";

/**
 * What the Nx run and the Vitest reports of its test tasks say together, as counts and lines.
 * Pure: the files are read by test.mjs.
 */

/**
 * @typedef {{ taskId: string, target: string, projectName: string, status: number }} TaskResult
 * @typedef {{ status: string, fullName: string, failureMessages?: string[], meta?: { skipReason?: string } }} Assertion
 * @typedef {{ name: string, status: string, message: string, assertionResults: Assertion[] }} FileResult
 * @typedef {{ testResults: FileResult[] }} VitestReport
 */

const MAX_REASON_LINES = 12;

/**
 * What a failed test said, without its stack: whoever reads the counts may have nothing else. Of a long text the
 * last lines, which say what went wrong in the end.
 *
 * @param {Assertion} test
 */
function reasonOf({ failureMessages = [] }) {
  const text = stripVTControlCharacters(failureMessages[0] ?? "").split("\n    at ")[0];
  const [first = "", ...rest] = text.split("\n").filter((line) => line.trim() !== "");
  if (first === "") return "";
  const shown = rest.slice(-MAX_REASON_LINES);
  if (shown.length < rest.length) shown.unshift("…");
  return [`: ${first}`, ...shown.map((line) => `           ${line}`)].join("\n");
}

/**
 * Sums the reports. A task other than `test` that failed counts as one failure, and so does a test
 * file that failed without a failing test (it could not be loaded, or a hook failed), a test task
 * that failed for another reason, and one that says it passed and left no report.
 *
 * @param {object} run
 * @param {readonly string[]} run.expected ids of the tasks that were to run
 * @param {readonly TaskResult[]} run.tasks those that ran or came from the cache
 * @param {ReadonlyMap<string, VitestReport>} run.reports by project name
 * @param {boolean} run.skippedFails whether a skipped test is a failure
 */
export function summarize({ expected, tasks, reports, skippedFails }) {
  const lines = [];
  let [passed, failed, skipped] = [0, 0, 0];

  for (const [project, report] of [...reports].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const file of report.testResults) {
      let failedHere = 0;
      for (const test of file.assertionResults) {
        if (test.status === "passed") passed += 1;
        else if (test.status === "failed") {
          failedHere += 1;
          lines.push(`failed   ${project}: ${test.fullName}${reasonOf(test)}`);
        } else {
          skipped += 1;
          lines.push(
            `skipped  ${project}: ${test.fullName}: ${test.meta?.skipReason ?? test.status}`,
          );
        }
      }
      if (file.status === "failed" && failedHere === 0) {
        failedHere = 1;
        lines.push(`failed   ${project}: ${file.name}: ${file.message.split("\n")[0] ?? ""}`);
      }
      failed += failedHere;
    }
  }

  const finished = new Map(tasks.map((task) => [task.taskId, task]));
  for (const task of tasks) {
    const report = task.target === "test" ? reports.get(task.projectName) : undefined;
    const explained = report?.testResults.some((file) => file.status === "failed") ?? false;
    if (task.status !== 0 && !explained) {
      failed += 1;
      lines.push(`failed   nx run ${task.taskId}`);
    } else if (task.target === "test" && report === undefined) {
      failed += 1;
      lines.push(`failed   nx run ${task.taskId}: it left no report`);
    }
  }
  // Those that Nx left out because a task before them failed; that failure is counted above.
  const missing = expected.filter((id) => !finished.has(id));
  for (const id of missing) lines.push(`not run  nx run ${id}`);
  if (missing.length > 0 && failed === 0) failed = missing.length;
  if (skipped > 0) {
    lines.push(`${skipped} skipped${skippedFails ? ", counted as failed" : ""}`);
    if (skippedFails) failed += skipped;
  }
  return { lines, passed, failed };
}
