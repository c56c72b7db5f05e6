/** Prints `N passed, N failed` for a run of the tests and sets the exit code: what was skipped did not pass. */
import { readFileSync } from 'node:fs';

const [resultsFile, testCode, brokenSteps] = process.argv.slice(2);

function counts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(resultsFile, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    // The run ended before it wrote its results: no test counts as passed.
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

const { passed, skipped, failed: failedTests } = counts();
// A run that went red without a failed test broke by itself (a build error, an unhandled rejection, a test file that did not load).
const brokenRun = (testCode !== '0' || passed === 0) && failedTests === 0 ? 1 : 0;
const failed = failedTests + brokenRun + Number(brokenSteps);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
