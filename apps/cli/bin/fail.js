/**
 * Ends the launcher with one line.
 *
 * @param {number} exitCode @param {string} line @returns {never}
 */
export function fail(exitCode, line) {
  process.stderr.write(`ostinato: ${line}\n`);
  process.exit(exitCode);
}
