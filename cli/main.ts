#!/usr/bin/env node
import { endWithOutput } from './output/standard-output.js';
import { runCli } from './run-cli.js';
import { processEnvironment } from './settings/config.js';
import { listenForEnd } from './signals.js';

const args = process.argv.slice(2);
endWithOutput(process.stdout, process.stderr, args.includes('--json'), (code) => process.exit(code));

const end = listenForEnd();
process.exitCode = await runCli(args, {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  environment: processEnvironment(),
  end,
});
// What was told to end does not wait for connections and reads that it has given up.
if (end.signal.aborted) process.exit();
