#!/usr/bin/env node
import { exitCodes } from './output/exit-codes.js';
import { runCli } from './run-cli.js';
import { processEnvironment } from './settings/config.js';
import { listenForEnd } from './signals.js';

// Whoever reads our output may leave early, as in `drystone ls … | head`: then there is nothing left to do, or to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.ok);
});

const end = listenForEnd();
process.exitCode = await runCli(process.argv.slice(2), {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  environment: processEnvironment(),
  end,
});
// What was told to end does not wait for connections and reads that it has given up.
if (end.signal.aborted) process.exit();
