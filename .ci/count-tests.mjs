// Counts what a vitest run did, from its JSON report and exit status: prints "PASSED FAILED".
// What did not run counts as failed, as does a file that could not be loaded, and a run that failed without a failed
// test (an error outside of all tests, no test found, no report written).
import { readFileSync } from 'node:fs';

const [reportPath, exitStatus] = process.argv.slice(2);

function countReport(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 0 };
  }
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const passedHere = file.assertionResults.filter((test) => test.status === 'passed').length;
    const failedHere = file.assertionResults.length - passedHere;
    passed += passedHere;
    failed += failedHere === 0 && file.status !== 'passed' ? 1 : failedHere;
  }
  return { passed, failed };
}

const { passed, failed } = countReport(reportPath);
const unexplained = failed === 0 && (exitStatus !== '0' || passed === 0) ? 1 : 0;
console.log(`${passed} ${failed + unexplained}`);
