/**
 * A Vitest reporter that keeps the reason given to `context.skip(reason)`, which the JSON report
 * would lose: it stands in the report as `meta.skipReason` of the test.
 *
 * @implements {import('vitest/node').Reporter}
 */
class SkipReasonReporter {
  /** @param {import('vitest/node').TestCase} testCase */
  onTestCaseResult(testCase) {
    const result = testCase.result();
    if (result.state === "skipped" && result.note !== undefined) {
      Object.assign(testCase.meta(), { skipReason: result.note });
    }
  }
}

// Vitest takes a reporter by its file's default export.
export { SkipReasonReporter as default }; // eslint-disable-line no-restricted-exports
